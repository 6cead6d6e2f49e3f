// The three kinds of connection, signing in, and handling of connection failures.

import AxeBuilder from "@axe-core/playwright";

import { answer, arrive, ask, expect, hear, over, press, shoot, shownCode, test } from "../fixtures.js";

/** The browser's own messages for failed requests. */
const BROKEN = [/ERR_CONNECTION/, /ERR_INCOMPLETE/, /ERR_INTERNET/, /ERR_NETWORK/, /ERR_EMPTY/];
const link = (page) => page.locator("#link-state");

test("the printed address signs in once, is removed from the address bar, and the session lasts for the tab", async ({ page, server, context, expected }) => {
  const address = await server.signedIn();
  await arrive(page, address);
  expect(page.url()).toBe(`${server.url}/`);
  await expect(page.getByRole("radio", { name: "This server" })).toBeChecked();
  const stored = await page.evaluate(() => ({ local: localStorage.length, cookies: document.cookie, session: JSON.stringify({ ...sessionStorage }) }));
  expect(stored).toMatchObject({ local: 0, cookies: "" });
  expect(stored.session).toMatch(/session-[0-9a-f]{32}/);
  const code = address.split("code=")[1];
  for (const secret of [code, server.account.authToken]) expect(stored.session).not.toContain(secret);
  await page.reload();
  await expect(link(page)).toHaveAttribute("data-state", "live");
  await page.goBack().catch(() => {});
  expect(await page.evaluate(() => location.hash)).toBe("");
  const other = await context.newPage();
  await other.goto(server.url);
  await expect(other.locator("#sign-in-title")).toHaveText("Sign in to this server");
  await expect(other.locator("#link-text")).toHaveText("Not signed in");
  await expect(other.locator("#notice")).toBeHidden();
  await shoot(other, "unsigned-light");
  await other.goto(address);
  await expect(other.locator("#notice-title")).toHaveText("This server does not accept these credentials.");
  await expect(other.locator("#notice-detail")).toHaveText("An address from callerid page works once, for ten minutes. Get a new one, or sign in below.");
  await expect(other.locator("#sign-in-title")).toBeVisible();
  expect(other.url()).toBe(`${server.url}/`);
  // A used address does not end an existing session.
  expected.failures.push(/status of 401/);
  await page.goto(address);
  await expect(link(page)).toHaveAttribute("data-state", "live");
});

test("has a Content-Security-Policy, and sends no requests to other origins", async ({ page, server }) => {
  const response = await page.goto(server.url);
  const policy = response.headers()["content-security-policy"];
  expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';");
  expect(policy).not.toMatch(/unsafe-inline|\*/);
  expect(await page.locator("script:not([src]), style, [style], [onclick]").count()).toBe(0);
});

test("signs in with a Sid and a token, and explains wrong ones", async ({ page, server, expected }) => {
  expected.failures.push(/status of 401/);
  await page.goto(server.url);
  await expect(link(page)).toHaveAttribute("data-state", "refused");
  await ask(page);
  const [sid, token] = [page.getByLabel("Account Sid"), page.getByLabel("Auth token")];
  await expect(sid).toBeFocused();
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(sid).toBeFocused();
  await expect(sid).toHaveAccessibleDescription("Enter AC and 32 characters from 0 to 9 and a to f");
  await expect(token).toHaveAccessibleDescription("Enter the account’s token");
  await sid.fill(server.account.accountSid);
  await token.fill("Schlüssel");
  await token.press("Enter");
  await expect(token).toHaveAccessibleDescription("A token has no spaces and no accents");
  await token.fill("0".repeat(32));
  await token.press("Enter");
  await expect(page.getByRole("alert").filter({ hasText: "This server does not accept these credentials. Check the Account Sid and the token." })).toBeVisible();
  await expect(sid).toHaveValue(server.account.accountSid);
  await shoot(page, "unauthorised-light");
  await token.fill(server.account.authToken);
  await token.press("Enter");
  await expect(link(page)).toHaveAttribute("data-state", "live");
  await expect(page.locator("#notice")).toBeHidden();
  await expect(page.locator("#phone-number")).toBeFocused();
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).not.toContain(server.account.authToken);
  await page.reload();
  await expect(link(page)).toHaveAttribute("data-state", "live");
});

test("changing the token ends the session", async ({ page, ownServer, expected }) => {
  expected.failures.push(/status of 401/, ...BROKEN);
  const account = await ownServer.addAccount();
  await over(page, ownServer, account).open();
  await page.locator("#phone-number").fill("4158675309");
  await ownServer.rotate(account);
  await page.getByRole("button", { name: "Call me" }).click();
  await expect(page.locator("#notice-title")).toHaveText("Your session has ended.");
  await expect(page.locator("#notice-detail")).toHaveText("Sign in again. What you typed is kept.");
  await expect(page.locator("#phone-number")).toHaveValue("4158675309");
  await page.goto(await ownServer.signedIn(account));
  await expect(link(page)).toHaveAttribute("data-state", "live");
});

test("reports that there is no connection, and an unused code remains valid", async ({ page, ownServer, expected }) => {
  expected.failures.push(...BROKEN);
  const address = await ownServer.signedIn(ownServer.account);
  await page.route("**/_callerid/sessions", (route) => route.abort());
  expected.failures.push(/ERR_FAILED/);
  await page.goto(address);
  await expect(page.locator("#notice-title")).toHaveText("Cannot connect to this server.");
  await page.unroute("**/_callerid/sessions");
  await page.goto(address);
  await expect(link(page)).toHaveAttribute("data-state", "live");
});

for (const colorScheme of ["light", "dark"]) {
  test(`signing in at 320 pixels, ${colorScheme}`, async ({ page, server }) => {
    await page.setViewportSize({ width: 320, height: 568 });
    await page.emulateMedia({ colorScheme });
    await page.goto(server.url);
    await expect(page.locator("#sign-in")).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    await shoot(page, `sign-in-320-${colorScheme}`, { fullPage: false });
  });
}

test("survives a crash of the server during a call", async ({ page, ownServer, expected }) => {
  expected.failures.push(...BROKEN);
  const { open, elsewhere } = over(page, ownServer, ownServer.account);
  await open();
  await ask(page, { name: "Survivor" });
  const code = await shownCode(page);
  await answer(page);
  await press(page, code.slice(0, 2));
  await expect.poll(async () => (await elsewhere.calls())[0].digits_keyed).toBe(2);
  await ownServer.kill();
  await expect(page.locator("#notice")).toBeVisible();
  await expect(page.locator("#notice-title")).toHaveText("Cannot connect to this server.");
  await expect(page.locator("#notice-detail")).toHaveText("Trying again. What you typed is kept.");
  await expect(link(page)).toHaveAttribute("data-state", "lost");
  expect(await shownCode(page)).toBe(code);
  await shoot(page, "offline-light");
  await press(page, "9");
  await hear(page, "That key was not sent. Press star to start again.");
  await expect(page.locator("#phone-keyed")).toContainText("2 of 6");
  await expect(page.locator("#phone-says")).toHaveText("That key was not sent. Press ✱ to start again.");
  await page.locator("#phone-number").fill("2125550142");
  await page.getByRole("button", { name: "Call me" }).click();
  // This is said once, at the top of the page.
  expect((await page.locator("body").innerText()).match(/Cannot connect/g)).toHaveLength(1);
  await ownServer.restart();
  await expect(link(page)).toHaveAttribute("data-state", "live");
  // Nothing stale is said.
  await expect(page.locator("#notice")).toBeHidden();
  await expect(page.locator("#phone-says")).toHaveText("“Please enter the six digits.”");
  await expect(link(page)).toHaveAttribute("data-state", "live");
  await hear(page, "The connection is back.");
  await expect(page.locator("#notice")).toBeHidden();
  await press(page, code.slice(2));
  await expect(page.locator(".row").filter({ hasText: "Survivor" })).toBeVisible();
});

test("reconnects automatically after the server restarts", async ({ page, ownServer, expected }) => {
  expected.failures.push(...BROKEN);
  const { open, elsewhere } = over(page, ownServer, ownServer.account);
  await open();
  await ownServer.kill();
  await ownServer.restart();
  await elsewhere.add("4158675309", "Added meanwhile");
  await expect(page.locator(".row").filter({ hasText: "Added meanwhile" })).toBeVisible({ timeout: 10_000 });
  await expect(link(page)).toHaveAttribute("data-state", "live");
  await expect(page.locator("#notice")).toBeHidden();
});

for (const [width, height] of [[320, 568], [768, 1024], [1280, 900]]) {
  test(`at ${width} px, a lost connection is said without moving anything`, async ({ page, ownServer, expected }) => {
    expected.failures.push(...BROKEN);
    await page.setViewportSize({ width, height });
    await over(page, ownServer, ownServer.account).open();
    const places = () => page.locator("main > *").evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().top));
    const before = await places();
    await ownServer.kill();
    await expect(page.getByRole("button", { name: "Try now" })).toBeInViewport({ ratio: 1 });
    expect(await places()).toEqual(before);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await shoot(page, `disconnected-${width}-${colorScheme}`, { fullPage: false });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id }) => id)).toEqual([]);
    }
  });
}

test("tries again within a second and a half when the server is back after a long time", async ({ page, ownServer, expected }) => {
  expected.failures.push(...BROKEN);
  await over(page, ownServer, ownServer.account).open();
  await ownServer.kill();
  await expect(link(page)).toHaveAttribute("data-state", "lost");
  // Long enough that pauses which grow would be long.
  await page.waitForTimeout(6000);
  await ownServer.restart();
  await expect(link(page)).toHaveAttribute("data-state", "live", { timeout: 1500 });
});

test("opens the stream again at once when the network is back, though it seems to be open", async ({ page, context, server, expected }) => {
  expected.failures.push(...BROKEN);
  await server.open();
  const streams = page.locator("#wire-list").getByRole("button", { name: /events/ });
  await expect(streams).toHaveCount(1);
  await context.setOffline(true);
  await context.setOffline(false);
  await expect(streams).toHaveCount(2, { timeout: 1000 });
  await expect(link(page)).toHaveAttribute("data-state", "live");
});

test("an error in a row is not said any more after a reconnection", async ({ page, ownServer, expected }) => {
  expected.failures.push(...BROKEN);
  const { open, elsewhere } = over(page, ownServer, ownServer.account);
  await open();
  await elsewhere.add("4158675309", "Mine");
  await page.getByRole("button", { name: "Rename Mine" }).click();
  const input = page.getByRole("textbox", { name: "Name of" });
  await input.fill("Half typed");
  await ownServer.kill();
  await input.press("Enter");
  await expect(page.locator(".row .feedback")).toHaveText("Cannot connect to this server.");
  await ownServer.restart();
  await expect(page.locator(".row .feedback")).toBeHidden();
  await expect(input).toHaveValue("Half typed");
  await input.press("Enter");
  await hear(page, "Renamed to Half typed.");
});

test("a rename being typed survives that the session ends", async ({ page, ownServer, expected }) => {
  expected.failures.push(/status of 401/, ...BROKEN);
  const account = await ownServer.addAccount();
  const { open, elsewhere } = over(page, ownServer, account);
  await open();
  await elsewhere.add("4158675309", "Mine");
  await page.getByRole("button", { name: "Rename Mine" }).click();
  const input = page.getByRole("textbox", { name: "Name of (415) 867-5309" });
  await input.fill("Half typed");
  const { authToken } = await ownServer.rotate(account);
  await input.press("Enter");
  await expect(page.locator("#notice-title")).toHaveText("Your session has ended.");
  await page.getByLabel("Account Sid").fill(account.accountSid);
  await page.getByLabel("Auth token").fill(authToken);
  await page.getByLabel("Auth token").press("Enter");
  await expect(link(page)).toHaveAttribute("data-state", "live");
  await expect(input).toHaveValue("Half typed");
  await input.press("Enter");
  await hear(page, "Renamed to Half typed.");
});

test("says that it is waiting for a slow server, then continues", async ({ page, ownServer, expected }) => {
  expected.failures.push(...BROKEN);
  await over(page, ownServer, ownServer.account).open();
  ownServer.hold();
  await ask(page);
  const button = page.locator("#call-me");
  await expect(button).toHaveText("Calling…");
  await expect(button).toHaveAttribute("aria-disabled", "true");
  await hear(page, "The server is slow. Still waiting for its answer.");
  await expect(button).toHaveText("Still waiting…");
  ownServer.goOn();
  await shownCode(page);
  await expect(button).toHaveText("Call me");
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "ringing");
});

test("recovers from a network outage", async ({ page, context, server, expected }) => {
  expected.failures.push(...BROKEN);
  await server.open();
  await server.elsewhere.add("4158675309", "Here");
  await expect(page.locator(".row")).toHaveCount(1);
  await context.setOffline(true);
  await page.getByRole("searchbox").press("Enter");
  await expect(page.locator("#notice")).toBeVisible();
  await expect(page.locator(".row")).toHaveCount(1);
  await context.setOffline(false);
  await expect(page.locator("#notice")).toBeHidden({ timeout: 15_000 });
  await expect(link(page)).toHaveAttribute("data-state", "live");
});

test("switches from the server to the mock and back", async ({ page, server }) => {
  await server.open();
  await page.getByRole("radio", { name: "Mock in this page" }).check();
  await expect(page.locator("#caller-ids-count")).toHaveText("12");
  await hear(page, "This is a mock: the API now runs in this page.");
  await page.getByRole("radio", { name: "This server" }).check();
  await expect(page.locator("#blank-title")).toHaveText("No caller IDs yet");
  await expect(page.locator("#link-text")).toContainText(new URL(server.url).host);
});

test("hides the phone for a line that is not virtual, and still follows the call", async ({ page, server }) => {
  await page.route("**/_callerid/health", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), line: "modem" } });
  });
  await server.open();
  await expect(page.locator("#phone")).toBeHidden();
  await shoot(page, "no-phone-light");
  await ask(page, {});
  await expect(page.locator(".step[data-is=now]")).toContainText("Ringing (415) 867-5309");
  expect(await page.title()).not.toContain("Ringing");
  await page.getByText("Didn’t get a call?").click();
  await expect(page.locator("#no-call-list")).toContainText("The call goes to the real phone");
  await server.elsewhere.phone("answer");
  await server.elsewhere.phone("digits", { Digits: await shownCode(page) });
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
});

test("says why a real line failed", async ({ page, server }) => {
  await server.open();
  const described = (failure) =>
    page.evaluate(async (cause) => {
      const { describe } = await import("./progress.js");
      const call = { status: "failed", failure: cause, answeredAt: null, endedAt: new Date(0), expiresAt: new Date(600_000), entriesLeft: 3 };
      const { steps, advice } = describe({ call, national: "(415) 867-5309" }, 0);
      return [steps.find((step) => step.is === "failed").text, advice];
    }, failure);
  expect(await described("no-trunk")).toEqual(["The phone network could not be reached", "Call again later."]);
  expect(await described("line-stopped")).toEqual(["The operator stopped the phone line", "Call again later."]);
  expect(await described("another cause")).toEqual(["The call failed", "Check the number, and call again."]);
});

test("polls the list of another URL without events to see when the number is validated", async ({ page, mock, expected }) => {
  const origin = "https://api.example.test";
  expected.origins.push(origin);
  expected.failures.push(/status of 404/);
  let isValidated = false;
  const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "authorization, accept, content-type", "access-control-allow-methods": "GET, POST" };
  const xml = (inner) => ({ status: 200, headers: { ...cors, "content-type": "application/xml" }, body: `<?xml version="1.0"?>\n<TwilioResponse>${inner}</TwilioResponse>` });
  const account = `AC${"ab".repeat(16)}`;
  await page.route(`${origin}/**`, (route) => {
    const request = route.request();
    if (request.method() === "OPTIONS") return route.fulfill({ status: 204, headers: cors });
    if (new URL(request.url()).pathname.startsWith("/_callerid/")) return route.fulfill({ status: 404, headers: cors, body: "not here" });
    if (request.method() === "POST") return route.fulfill(xml(`<ValidationRequest><AccountSid>${account}</AccountSid><PhoneNumber>4158675309</PhoneNumber><FriendlyName/><ValidationCode>042917</ValidationCode></ValidationRequest>`));
    const row = isValidated ? `<OutgoingCallerId><Sid>PN${"cd".repeat(16)}</Sid><AccountSid>${account}</AccountSid><FriendlyName>(415) 867-5309</FriendlyName><PhoneNumber>4158675309</PhoneNumber><DateCreated>Tue, 01 Apr 2008 11:26:32 -0700</DateCreated><DateUpdated>Tue, 01 Apr 2008 11:26:32 -0700</DateUpdated></OutgoingCallerId>` : "";
    return route.fulfill(xml(`<OutgoingCallerIds page="0" numpages="${isValidated ? 1 : 0}" pagesize="10" total="${isValidated ? 1 : 0}" start="0" end="0" uri="" firstpageuri="" previouspageuri="" nextpageuri="" lastpageuri="">${row}</OutgoingCallerIds>`));
  });
  await mock.open();
  await page.getByRole("radio", { name: "Another URL" }).check();
  await expect(page.getByText("A token in a browser is a token given away.")).toBeVisible();
  await shoot(page, "another-url-light");
  await page.getByLabel("URL of the API").fill("ftp://example.test");
  await page.getByRole("button", { name: "Connect" }).click();
  await expect(page.getByLabel("URL of the API")).toBeFocused();
  await page.getByLabel("URL of the API").fill(origin);
  await page.getByLabel("Account Sid").fill(account);
  await page.getByLabel("Auth token").fill("secret-token");
  await page.getByRole("button", { name: "Connect" }).click();
  await expect(page.locator("#link-text")).toHaveText("api.example.test · ACabab…abab");
  await expect(page.locator("#phone")).toBeHidden();
  await ask(page);
  expect(await shownCode(page)).toBe("042917");
  await expect(page.locator(".step[data-is=now]")).toContainText("This API does not report how the call goes.");
  isValidated = true;
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified", { timeout: 10_000 });
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).not.toContain("secret-token");
});
