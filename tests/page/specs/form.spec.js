// The form: the core validates the input, the form does not change it, and errors appear where users look for them.

import { answer, ask, expect, hear, press, shoot, shownCode, test } from "../fixtures.js";

test("validates input while it is typed, and does not change it", async ({ page, mock }) => {
  await mock.open();
  const number = page.locator("#phone-number");
  const feedback = page.locator("#phone-number-feedback");
  await number.pressSequentially("415-867");
  await expect(feedback).toHaveText(/^Too few digits: 6/);
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

test("shows the same errors at the fields and in a summary, which gets the focus", async ({ page, mock }) => {
  await mock.open();
  await ask(page, { number: "", name: "n".repeat(65), delay: "61" });
  const summary = page.getByRole("alert").filter({ hasText: "There is a problem" });
  await expect(summary).toBeFocused();
  const links = summary.getByRole("link");
  await expect(links).toHaveText(["Enter a phone number", "65 characters: a name has at most 64", "Enter 0 to 60 seconds"]);
  for (const [index, id] of ["phone-number", "friendly-name", "call-delay"].entries()) {
    await expect(page.locator(`#${id}-feedback`)).toHaveText(await links.nth(index).textContent());
    await expect(page.locator(`#${id}`)).toHaveAttribute("aria-invalid", "true");
    await expect(page.locator(`#${id}`)).toHaveAccessibleDescription(new RegExp(await links.nth(index).textContent()));
  }
  await shoot(page, "errors-light");
  await links.first().click();
  await expect(page.locator("#phone-number")).toBeFocused();
  await page.keyboard.type("4158675309");
  await expect(page.locator("#phone-number")).not.toHaveAttribute("aria-invalid");
});

test("links to the list for a number that is already a caller ID", async ({ page, server, expected }) => {
  expected.failures.push(/status of 400/);
  await server.open();
  await server.elsewhere.add("4158675309", "Mine");
  await ask(page);
  const summary = page.locator("#error-summary");
  await expect(summary).toBeFocused();
  await expect(summary).toContainText("Phone number already validated on your account");
  await expect(page.locator("#phone-number-feedback")).toContainText("already validated");
  await expect(page.locator("#phone-number")).toHaveValue("(415) 867.5309");
  await summary.getByRole("link", { name: "Show it in the list" }).click();
  await expect(page.locator(".row")).toHaveCount(1);
  await expect(page.locator(".row")).toContainText("Mine");
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
