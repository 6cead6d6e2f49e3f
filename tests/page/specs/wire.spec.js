// The log "on the wire": exact requests and responses, without secrets.

import { answer, ask, expect, press, shownCode, test } from "../fixtures.js";

const shown = (page) => page.locator("#wire-shown");

test("shows the newest request of the API, with a formatted body and masked credentials", async ({ page, server }) => {
  await server.open();
  await ask(page, { name: "R&D" });
  const code = await shownCode(page);
  await expect(shown(page)).toContainText(`POST /2008-08-01/Accounts/${server.account.accountSid}/OutgoingCallerIds`);
  await expect(shown(page)).toContainText("authorization: Basic ••••••");
  await expect(shown(page)).toContainText("PhoneNumber=4158675309&FriendlyName=R%26D");
  await expect(shown(page)).toContainText("200 OK");
  await expect(shown(page)).toContainText(`<ValidationCode>${code}</ValidationCode>`);
  const everything = await page.locator("body").innerText();
  expect(everything).not.toContain(server.account.authToken);
  expect(everything).not.toContain(btoa(`${server.account.accountSid}:${server.account.authToken}`));
});

test("keeps the selected request, follows a stream, and can hide the control surface", async ({ page, server }) => {
  await server.open();
  const list = page.locator("#wire-list");
  await list.getByRole("button", { name: /events/ }).click();
  await expect(shown(page)).toContainText("Response, a stream of events");
  await ask(page);
  await shownCode(page);
  await expect(shown(page)).toContainText("event: call");
  await answer(page);
  await press(page, "12");
  // The phone may have sent the keys in one request or in two: they share a row. The newest one reports two digits.
  await expect.poll(async () => (await server.elsewhere.calls())[0].digits_keyed).toBe(2);
  await expect(list.getByRole("button", { name: /events/ })).toHaveAttribute("aria-current", "true");
  await list.getByRole("button", { name: /digits/ }).first().click();
  await expect(shown(page)).toContainText('"digits_keyed": 2');
  await page.getByLabel("Include phone and events").uncheck();
  await expect(list.getByRole("button", { name: /digits/ })).toHaveCount(0);
  await expect(list.getByRole("button").first()).toContainText("…/OutgoingCallerIds");
});

test("the copied curl command repeats the request", async ({ page, server, expected }) => {
  expected.failures.push(/status of 400/);
  await server.open();
  await ask(page, { name: "O'Neil & Söhne" });
  await shownCode(page);
  await page.getByRole("button", { name: "Copy as curl" }).click();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  expect(command).toContain(`--user "${server.account.accountSid}:$AUTH_TOKEN"`);
  expect(command).not.toContain(server.account.authToken);
  const { execFileSync } = await import("node:child_process");
  const answered = execFileSync("sh", ["-c", `${command} --silent`], { env: { ...process.env, AUTH_TOKEN: server.account.authToken }, encoding: "utf8" });
  expect(answered).toMatch(/<FriendlyName>O'Neil &amp; Söhne<\/FriendlyName><ValidationCode>\d{6}|<ValidationCode>\d{6}/);
});

test("logs errors, and clearing keeps open requests", async ({ page, server, expected }) => {
  expected.failures.push(/status of 400/);
  await server.open();
  await server.elsewhere.add("4158675309");
  // An event would refresh the list, and that request would be newer than the error.
  await expect(page.locator(".row")).toHaveCount(1);
  await ask(page);
  await expect(shown(page)).toContainText("400 Bad Request");
  await expect(shown(page)).toContainText("<Code>21450</Code>");
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.locator("#wire-list").getByRole("button")).toHaveCount(1);
  await expect(page.locator("#wire-list")).toContainText("events");
});

test("shows the body before the headers, and folds those for other origins", async ({ page, mock }) => {
  await mock.open();
  await page.locator("#wire-list").getByRole("button", { name: /GET …\/OutgoingCallerIds/ }).click();
  const text = await shown(page).innerText();
  const order = ["200 OK", "<OutgoingCallerIds", "content-type:", "(CORS)"].map((it) => text.lastIndexOf(it));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThan(0);
  expect(text).not.toContain("access-control-allow-origin");
  await shown(page).getByText("(CORS)").click();
  await expect(shown(page)).toContainText("access-control-allow-origin");
});

test("keeps the selected request in sight while others come, and leads back to the newest", async ({ page, mock }) => {
  await mock.open();
  const place = page.locator("#wire-list-place");
  const selected = page.locator("#wire-list [aria-current]");
  for (let index = 0; index < 8; index++) {
    await page.locator("#filter").fill("x");
    await page.locator("#order").selectOption(index % 2 ? "newest" : "name");
    await page.locator("#filter").fill("");
    await ask(page);
    await page.getByRole("button", { name: "Decline" }).click();
  }
  // The newest one, too, stays selected.
  const newest = page.locator("#wire-list").getByRole("button", { name: /POST …\/OutgoingCallerIds/ }).first();
  await newest.click();
  const path = await selected.textContent();
  const offset = () => selected.evaluate((node) => node.getBoundingClientRect().top - document.getElementById("wire-list-place").getBoundingClientRect().top);
  const before = await offset();
  for (let index = 0; index < 6; index++) {
    await ask(page);
    await page.getByRole("button", { name: "Decline" }).click();
  }
  await expect(selected).toHaveText(path);
  expect(await offset()).toBe(before);
  expect(await place.evaluate((node) => node.scrollTop)).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Show the newest" }).click();
  await expect(page.getByRole("button", { name: "Show the newest" })).toBeHidden();
  expect(await place.evaluate((node) => node.scrollTop)).toBe(0);
});

test("groups the keys of a call", async ({ page, server }) => {
  await server.open();
  await ask(page);
  const code = await shownCode(page);
  await answer(page);
  for (const [index, digit] of [...code.slice(0, 4)].entries()) {
    await press(page, digit);
    await expect.poll(async () => (await server.elsewhere.calls())[0].digits_keyed).toBe(index + 1);
  }
  const keys = page.locator("#wire-list").getByRole("button", { name: /digits/ });
  await expect(keys).toHaveCount(1);
  await expect(keys).toContainText("digits ×4");
  await keys.click();
  for (const digit of code.slice(0, 4)) await expect(shown(page)).toContainText(`Digits=${digit}`);
  await expect(shown(page)).toContainText('"digits_keyed": 1');
  await expect(shown(page)).toContainText('"digits_keyed": 4');
});

test("at 320 pixels the count is beside the title", async ({ page, mock }) => {
  await page.setViewportSize({ width: 320, height: 568 });
  await mock.open();
  const count = page.locator("#wire-count");
  // The most there are.
  await count.evaluate((node) => (node.textContent = "300"));
  const [title, box] = [await page.locator("#wire-title").boundingBox(), await count.boundingBox()];
  expect(title.height).toBeLessThan(2 * box.height);
});
