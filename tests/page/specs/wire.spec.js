// The wire: what went over, as it went over, without the secrets.

import { answer, ask, expect, press, shownCode, test } from "../fixtures.js";

const shown = (page) => page.locator("#wire-shown");

test("the newest request of the API is shown, its body readable and its credentials masked", async ({ page, server }) => {
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

test("another request is chosen and stays, a stream goes on, and the rest can be left out", async ({ page, server }) => {
  await server.open();
  const list = page.locator("#wire-list");
  await list.getByRole("button", { name: /events/ }).click();
  await expect(shown(page)).toContainText("Response, a stream of events");
  await ask(page);
  await shownCode(page);
  await expect(shown(page)).toContainText("event: call");
  await answer(page);
  await press(page, "12");
  // The phone may have sent them in one request or in two: the newest is the one that says that there are two.
  await expect.poll(async () => (await server.elsewhere.calls())[0].digits_keyed).toBe(2);
  await expect(list.getByRole("button", { name: /events/ })).toHaveAttribute("aria-current", "true");
  await list.getByRole("button", { name: /digits/ }).first().click();
  await expect(shown(page)).toContainText('"digits_keyed": 2');
  await page.getByLabel("Include phone and events").uncheck();
  await expect(list.getByRole("button", { name: /digits/ })).toHaveCount(0);
  await expect(list.getByRole("button").first()).toContainText("…/OutgoingCallerIds");
});

test("copied as curl, it does what the page did", async ({ page, server, expected }) => {
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

test("a refusal is there too, and clearing leaves what is open", async ({ page, server, expected }) => {
  expected.failures.push(/status of 400/);
  await server.open();
  await server.elsewhere.add("4158675309");
  // The list is asked for when the news comes, and would be newer than the refusal.
  await expect(page.locator(".row")).toHaveCount(1);
  await ask(page);
  await expect(shown(page)).toContainText("400 Bad Request");
  await expect(shown(page)).toContainText("<Code>21450</Code>");
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.locator("#wire-list").getByRole("button")).toHaveCount(1);
  await expect(page.locator("#wire-list")).toContainText("events");
});
