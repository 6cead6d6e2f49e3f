// The form: the core validates the input, the form does not change it, and errors appear where users look for them.

import { answer, ask, expect, hear, press, shoot, shownCode, test } from "../fixtures.js";

test("validates input while it is typed, and does not change it", async ({ page, mock }) => {
  await mock.open();
  const number = page.locator("#phone-number");
  const feedback = page.locator("#phone-number-feedback");
  await number.pressSequentially("415-867");
  await expect(feedback).toHaveText("6 of 10 digits");
  await expect(number).not.toHaveAttribute("aria-invalid");
  await number.pressSequentially(".5309");
  await expect(feedback).toHaveText("4158675309, shown as (415) 867-5309");
  await expect(number).toHaveValue("415-867.5309");
  await hear(page, "4158675309, shown as (415) 867-5309");
  await number.fill("415-867-53@9");
  await expect(feedback.locator("mark")).toHaveText("@");
  await expect(feedback).not.toContainText("byte");
  await number.blur();
  await expect(number).toHaveAttribute("aria-invalid", "true");
});

for (const width of [320, 768, 1280]) test(`at ${width} px says each error once, at its field, in the user’s words, without moving anything`, async ({ page, mock }) => {
  await page.setViewportSize({ width, height: 900 });
  await mock.open();
  const number = page.locator("#phone-number");
  const feedback = page.locator("#phone-number-feedback");
  const places = () => page.locator("#call-me, #progress, #phone, #caller-ids").evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().top + scrollY));
  const before = await places();
  await ask(page, { number: "415 867 530", name: "n".repeat(65), delay: "61" });
  await expect(feedback).toHaveText("That number has 9 digits. US numbers have 10.");
  await expect(page.locator("#friendly-name-feedback")).toHaveText("That name has 65 characters. A name has at most 64.");
  await expect(page.locator("#call-delay-feedback")).toHaveText("Enter 0 to 60 seconds.");
  expect((await page.locator("main").innerText()).match(/has 9 digits/g)).toHaveLength(1);
  await expect(number).toBeFocused();
  await expect(number).toHaveAccessibleDescription(/US numbers have 10/);
  for (const id of ["phone-number", "friendly-name", "call-delay"]) await expect(page.locator(`#${id}`)).toHaveAttribute("aria-invalid", "true");
  expect(await places()).toEqual(before);
  await shoot(page, "errors-light");
  for (const [text, words] of [
    ["", "Enter a phone number, like 415-555-0123."],
    ["8675309", "That number has 7 digits. Put the area code before it."],
    ["415 867 5309 12", "That number has 12 digits. US numbers have 10."],
    ["+44 20 7946 0958", "That number begins with +44. Only +1 numbers work here."],
    ["911 867 5309", "911 is a service, not an area code."],
    ["121 867 5309", "121 is not an area code: the first digit is 2 to 9."],
    ["221 867 5309", "No place has the area code 221."],
    ["415 055 5309", "055 cannot follow an area code: the first digit is 2 to 9."],
    ["415-867-53@9", "“@” is not part of a phone number: 415-867-53@9"],
    ["415 867 5309 x12", "Enter the number without its extension"],
    ["415 867 5309 / 415 867 5308", "Those are two numbers. Enter one"],
  ]) {
    await number.fill(text);
    await number.press("Enter");
    await expect(feedback).toContainText(words);
    expect(await places()).toEqual(before);
  }
  // Pressed in the field itself, Enter does not move the focus, so the error is announced.
  await hear(page, "Those are two numbers. Enter one");
  await number.fill("4158675309");
  await expect(number).not.toHaveAttribute("aria-invalid");
});

test("links to the list for a number that is already a caller ID, and an error removes what stood of another number", async ({ page, server, expected }) => {
  expected.failures.push(/status of 400/);
  await server.open();
  await server.elsewhere.add("4158675309", "Mine");
  await ask(page, { number: "2125550142" });
  await page.getByRole("button", { name: "Decline" }).click();
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "busy");
  await ask(page);
  const number = page.locator("#phone-number");
  await expect(number).toBeFocused();
  await expect(page.locator("#phone-number-feedback")).toContainText("You have already validated this number.");
  await expect(number).toHaveValue("(415) 867.5309");
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "rest");
  await page.getByRole("button", { name: "Show it in the list" }).click();
  await expect(page.locator(".row")).toHaveCount(1);
  await expect(page.locator(".row")).toContainText("Mine");
  await number.fill("2125550143");
  await expect(page.locator("body")).not.toContainText("already validated");
});

test("an error of the service that is about no field is said at the form", async ({ page, server, expected }) => {
  expected.failures.push(/status of 429/);
  await server.open();
  await page.route("**/OutgoingCallerIds", (route) => route.request().method() === "POST"
    ? route.fulfill({ status: 429, contentType: "application/xml", body: "<TwilioResponse><RestException><Status>429</Status><Message>Too many requests</Message></RestException></TwilioResponse>" }) : route.continue());
  await ask(page);
  await expect(page.locator("#phone-number-feedback")).toHaveText("Too many requests.");
  await hear(page, "Too many requests.");
  await expect(page.locator("#phone-number")).not.toHaveAttribute("aria-invalid");
});

test("after success the form is ready for the next number", async ({ page, mock }) => {
  await mock.open();
  await ask(page, { name: "First", delay: "1" });
  const code = await shownCode(page);
  await answer(page);
  await press(page, code);
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
  const values = () => page.locator("#phone-number, #friendly-name, #call-delay").evaluateAll((inputs) => inputs.map(({ value }) => value));
  expect(await values()).toEqual(["", "", "0"]);
  await page.reload();
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
  expect(await values()).toEqual(["", "", "0"]);
  await page.locator("#phone-number").fill("2125550143");
  await page.keyboard.press("Enter");
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "ringing");
  const second = await shownCode(page);
  await answer(page);
  // Typed during the call: this is kept, but the name of the first is not.
  await page.locator("#phone-number").fill("3125550188");
  await press(page, second);
  await expect(page.locator(".row").filter({ hasText: "(212) 555-0143" }).locator(".cell-name")).toHaveText("(212) 555-0143");
  expect(await values()).toEqual(["3125550188", "", "0"]);
});

test("sends names in all scripts exactly as typed", async ({ page, mock }) => {
  await mock.open("?seed=0");
  const name = "  Zoë’s 電話 📞 <b>&amp;</b> ";
  await ask(page, { name });
  const code = await shownCode(page);
  await answer(page);
  await press(page, code);
  const cell = page.locator(".row .cell-name");
  await expect(cell).toBeVisible();
  expect(await cell.textContent()).toBe(name);
});
