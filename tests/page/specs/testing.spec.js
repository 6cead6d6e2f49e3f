// The drawer of a server that is under the control of tests.

import AxeBuilder from "@axe-core/playwright";

import { answer, ask, expect, hear, over, press, shoot, shownCode, test } from "../fixtures.js";
import { Server } from "../server.js";

const NUMBER = "+14158675309";
const drawer = (page) => page.locator("#testing");
const part = (page) => page.locator(".testing-part:visible");
const rows = (page) => part(page).locator(".testing-row");
const button = (page, name) => part(page).getByRole("button", { name, exact: true });
const field = (page, label) => part(page).getByLabel(label, { exact: true });

/** Opens the drawer, and one of its parts. */
async function open(page, name) {
  if ((await drawer(page).getAttribute("open")) === null) await page.getByText("Test controls").click();
  await page.getByRole("radio", { name, exact: true }).check();
}

test("is not there, and loads nothing, for a server without --test", async ({ page, server }) => {
  const loaded = [];
  page.on("request", (request) => loaded.push(request.url()));
  const health = page.waitForResponse("**/_callerid/health");
  await server.open();
  expect(await (await health).json()).not.toHaveProperty("test");
  await expect(page.locator("#wire-list")).toContainText("health");
  await expect(drawer(page)).toBeHidden();
  expect(loaded.filter((url) => url.includes("/testing/"))).toEqual([]);
});

test("says that tests control the server, and loads the controls when it is opened", async ({ page, underTest }) => {
  const loaded = [];
  page.on("request", (request) => request.url().includes("/testing/") && loaded.push(request.url()));
  await underTest.open();
  await expect(drawer(page)).toContainText("This server is under the control of tests.");
  expect(loaded).toEqual([]);
  await open(page, "Clock");
  await expect(part(page).locator("time")).toBeVisible();
  await page.getByRole("radio", { name: "Mock in this page" }).check();
  await expect(page.locator("#caller-ids-count")).toHaveText("12");
  await expect(drawer(page)).not.toHaveAttribute("open");
  await expect(part(page)).toHaveCount(0);
});

test("freezes, sets, advances and resets the clock", async ({ page, underTest }) => {
  await underTest.open();
  await open(page, "Clock");
  const time = part(page).locator("time");
  await expect(time).toHaveText(/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/);
  await button(page, "Freeze").click();
  await hear(page, "The clock is frozen.");
  await expect(part(page)).toContainText("Frozen");
  await field(page, "Set to").fill("2008-04-01T18:26:32Z");
  await field(page, "Set to").press("Enter");
  await expect(time).toHaveText("2008-04-01 18:26:32");
  await hear(page, "The clock shows 2008-04-01 18:26:32.");
  await button(page, "+1 min").click();
  await expect(time).toHaveText("2008-04-01 18:27:32");
  await button(page, "+10 min").click();
  await expect(time).toHaveText("2008-04-01 18:37:32");
  await field(page, "Advance by").fill("8");
  await button(page, "Advance").click();
  await expect(time).toHaveText("2008-04-01 18:37:40");
  expect(await underTest.elsewhere.control("GET", "clock")).toEqual({ now: "2008-04-01T18:37:40.000Z", frozen: true });
  await button(page, "Let it run").click();
  await expect(time).not.toHaveText("2008-04-01 18:37:40");
  await button(page, "Use the server’s clock").click();
  await expect(time).not.toContainText("2008");
});

test("shows an error at its field", async ({ page, underTest, expected }) => {
  expected.failures.push(/status of 400/);
  await underTest.open();
  await open(page, "Clock");
  await field(page, "Set to").fill("noon");
  await button(page, "Set").click();
  await expect(field(page, "Set to")).toBeFocused();
  await expect(field(page, "Set to")).toHaveAttribute("aria-invalid", "true");
  await expect(field(page, "Set to")).toHaveAccessibleDescription(/Invalid document: now: /);
  await field(page, "Advance by").fill("soon");
  await button(page, "Advance").click();
  await expect(field(page, "Advance by")).toHaveAccessibleDescription(/Enter a whole number\.$/);
  await open(page, "Faults");
  await field(page, "Status").fill("200");
  await button(page, "Add").click();
  await expect(field(page, "Status")).toHaveAccessibleDescription(/then\.status: expected 400 to 599\.$/);
  await expect(field(page, "Status")).toBeFocused();
});

test("a time that runs out on the server’s clock ends the call on the page", async ({ page, underTest }) => {
  await underTest.open();
  await ask(page);
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "ringing");
  await open(page, "Clock");
  await button(page, "+10 min").click();
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "no-answer");
});

test("lets a request fail once, and shows that it did", async ({ page, underTest, expected }) => {
  expected.failures.push(/status of 503/);
  await underTest.open();
  await open(page, "Faults");
  await expect(part(page)).toContainText("No faults.");
  await field(page, "Method").selectOption("POST");
  await field(page, "Phone number or path").fill("(415) 867-5309");
  await button(page, "Add").click();
  await hear(page, "Added: Error 503, POST (415) 867-5309.");
  await expect(rows(page)).toContainText("0 hits, 1 left");
  await ask(page, { number: "2125550142" });
  await expect(rows(page)).toContainText("Nearly hit a request, but its phone number is 2125550142, not 4158675309");
  await ask(page, { number: "4158675309" });
  await expect(page.locator("#phone-number-feedback")).toHaveText("A fault of the test.");
  await expect(rows(page)).toContainText("1 hit, none left");
  await ask(page, { number: "4158675309" });
  await expect(page.locator("#phone-number-shown")).toHaveText("(415) 867-5309");
  await button(page, "Remove all faults").click();
  await expect(rows(page)).toHaveCount(0);
});

test("holds a response and releases it", async ({ page, underTest }) => {
  await underTest.open();
  await open(page, "Faults");
  await field(page, "What happens").selectOption("Hold the response");
  await field(page, "Method").selectOption("POST");
  await button(page, "Add").click();
  await expect(rows(page)).toContainText("Response held, POST");
  await ask(page);
  await expect(rows(page)).toContainText("1 hit");
  await expect(page.locator("#call-me")).toHaveAttribute("aria-disabled", "true");
  await button(page, "Release Response held, POST").click();
  await shownCode(page);
  await expect(rows(page)).toHaveCount(0);
});

test("every kind of fault", async ({ page, underTest }) => {
  await underTest.open();
  await open(page, "Faults");
  await field(page, "Phone number or path").fill("/nowhere/*");
  await field(page, "Times").fill("");
  const kinds = [
    ["Answer with an error", { status: 503 }],
    ["Answer late", { delay_ms: 800 }],
    ["Hold the response", { hold: true }],
    ["Lose the request", { drop: "before" }],
    ["Lose the response, after the work", { drop: "after" }],
    ["Send half the response", { drop: "mid_body" }],
  ];
  for (const [index, [choice]] of kinds.entries()) {
    await field(page, "What happens").selectOption(choice);
    await button(page, "Add").click();
    await expect(rows(page)).toHaveCount(index + 1);
  }
  const { faults } = await underTest.elsewhere.control("GET", "faults");
  expect(faults.map(({ match, then, times_left: left }) => ({ match, then, left })))
    .toEqual(kinds.map(([, then]) => ({ match: { path: "/nowhere/*" }, then, left: null })));
  await underTest.elsewhere.control("POST", "faults", { then: { status: 500, delay_ms: 0, message: "Both" } });
  await expect(rows(page).last()).toContainText("Error 500, 0 ms late, any request");
  await button(page, "Remove Error 500, 0 ms late, any request").click();
  // Removing a row moves the focus to the next one, and at last to what says that there are none.
  for (const [left, name] of [[5, "Error 503"], [4, "800 ms late"]]) {
    await button(page, `Remove ${name}, /nowhere/*`).press("Enter");
    await expect(rows(page)).toHaveCount(left);
    await expect(rows(page).first().getByRole("button").first()).toBeFocused();
  }
  await button(page, "Remove all faults").press("Enter");
  await expect(part(page).getByText("No faults.")).toBeFocused();
});

test("gives a phone a script, and every other phone another", async ({ page, underTest }) => {
  await underTest.open();
  await open(page, "Phones");
  await field(page, "Phone number").fill("415 867 5309");
  await field(page, "What it does").selectOption("Is busy");
  await button(page, "Set").click();
  await hear(page, "(415) 867-5309: Is busy.");
  await field(page, "Phone number").fill("*");
  await field(page, "What it does").selectOption("Answers, keys the code");
  await button(page, "Set").click();
  await expect(rows(page)).toHaveText([/^\(415\) 867-5309.*Is busy/, /^Every other phone.*Answers, keys the code/]);
  await underTest.elsewhere.control("PUT", "phones/4158675311", [{ do: "answer" }, { do: "hang_up" }]);
  await expect(rows(page).filter({ hasText: "(415) 867-5311" })).toContainText("2 steps");
  await button(page, "Remove (415) 867-5311").click();
  await expect(rows(page)).toHaveCount(2);
  await ask(page, { number: "4158675309" });
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "busy");
  await ask(page, { number: "4158675310" });
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
  await button(page, "Remove (415) 867-5309").click();
  await expect.poll(() => underTest.elsewhere.control("GET", "phones")).toEqual({ phones: { "*": "verifies" } });
  await button(page, "Remove all scripts").click();
  await expect(rows(page)).toHaveCount(0);
  await field(page, "Phone number").fill("415");
  await button(page, "Set").click();
  await expect(field(page, "Phone number")).toHaveAccessibleDescription(/That number has 3 digits/);
});

test("puts a number that behaves by itself into the form", async ({ page, underTest }) => {
  await underTest.open();
  await open(page, "Phones");
  await part(page).getByText("Numbers that do this by themselves").click();
  await expect(part(page).getByRole("button", { name: /555-017\d/ })).toHaveCount(8);
  await button(page, "(212) 555-0172").click();
  await expect(page.locator("#phone-number")).toBeFocused();
  await expect(page.locator("#phone-number")).toHaveValue("(212) 555-0172");
  await page.keyboard.press("Enter");
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "wrong-0");
});

test("shows the requests of every client, and clears them", async ({ page, underTest, expected }) => {
  expected.failures.push(/status of 400/);
  await underTest.open();
  await open(page, "Requests");
  await expect(rows(page).first()).toContainText("GET …/OutgoingCallerIds");
  await underTest.elsewhere.send("POST", underTest.elsewhere.path, { PhoneNumber: "911", FriendlyName: "R&D team" });
  await expect(rows(page).first()).toContainText("POST …/OutgoingCallerIds");
  await expect(rows(page).first()).toContainText(/400, code 21401 · \d\d:\d\d:\d\d\.\d{3} · PhoneNumber=911&FriendlyName=R&D team/);
  // The first id is 1 again.
  await underTest.elsewhere.control("POST", "reset");
  await expect(rows(page).filter({ hasText: "POST" })).toHaveCount(0);
  await underTest.elsewhere.send("GET", underTest.elsewhere.path);
  await expect(rows(page).first()).toContainText("200");
  await button(page, "Clear").click();
  await expect(part(page)).toContainText("No requests.");
  await expect(rows(page)).toHaveCount(0);
});

test("adds a seed, or says what is wrong in which line", async ({ page, underTest, expected }) => {
  expected.failures.push(/status of 400/);
  await underTest.open();
  await open(page, "Seed");
  await button(page, "Add the seed").click();
  await hear(page, "Added 1 caller ID.");
  await expect(page.locator(".row")).toContainText("Front desk");
  await ask(page, { number: "2125550142" });
  expect(await shownCode(page)).toBe("123456");
  const text = field(page, "Seed");
  await text.fill('{ "caller_ids": [\n  { "phone_number": "4158675310" },\n  { "phone_number": "banana" }\n] }');
  await button(page, "Add the seed").click();
  await expect(text).toBeFocused();
  await expect(text).toHaveAccessibleDescription(/Invalid document: caller_ids\[1\]\.phone_number: .* at line 3 column \d+\.$/);
  expect(await text.evaluate(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))).toBe('  { "phone_number": "banana" }');
  await expect(page.locator(".row")).toHaveCount(1);
});

test("resets the account, and nothing of it rings any more", async ({ page, underTest }) => {
  await underTest.elsewhere.control("POST", "seed", { caller_ids: [{ phone_number: NUMBER }] });
  await underTest.open();
  await expect(page.locator(".row")).toHaveCount(1);
  await ask(page, { number: "2125550142" });
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "ringing");
  await open(page, "Seed");
  await part(page).getByText("Reset the account…").click();
  await button(page, "Reset").click();
  await hear(page, "The account is reset, with 0 caller IDs.");
  await expect(page.locator(".row")).toHaveCount(0);
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "rest");
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "rest");
});

test("keeps, restores and removes a snapshot", async ({ page, underTest }) => {
  await underTest.elsewhere.control("POST", "seed", { caller_ids: [{ phone_number: NUMBER }] });
  await underTest.open();
  await open(page, "Snapshots");
  await button(page, "Keep").click();
  await expect(field(page, "Name")).toHaveAccessibleDescription(/Enter a name\.$/);
  await field(page, "Name").fill("one / two");
  await button(page, "Keep").click();
  await expect(rows(page)).toContainText("1 caller ID, 0 calls");
  await underTest.elsewhere.control("POST", "reset");
  await expect(page.locator(".row")).toHaveCount(0);
  await button(page, "Restore one / two").click();
  await hear(page, "one / two is restored.");
  await expect(page.locator(".row")).toHaveCount(1);
  await button(page, "Remove one / two").click();
  await expect(part(page).getByText("No snapshots.")).toBeFocused();
});

test("the log has what the drawer changes, and not what it reads", async ({ page, underTest }) => {
  await underTest.open();
  const reads = page.waitForResponse("**/_callerid/faults");
  await open(page, "Faults");
  await reads;
  await page.waitForResponse("**/_callerid/faults");
  const logged = page.locator("#wire-list").getByRole("button", { name: /faults/ });
  await expect(logged).toHaveCount(0);
  await field(page, "Phone number or path").fill("/nowhere");
  await button(page, "Add").click();
  await expect(logged).toHaveCount(1);
  await logged.click();
  await expect(page.locator("#wire-shown")).toContainText('{"match":{"path":"/nowhere"},"times":1,"then":{"status":503}}');
});

test("works with the keyboard alone", async ({ page, underTest }) => {
  await underTest.open();
  // The drawer appears once the API has said that it is under test, which may be after the list.
  await expect(drawer(page)).toBeVisible();
  const tab = () => page.keyboard.press("Tab");
  await page.getByRole("radio", { name: "This server" }).focus();
  await tab();
  await expect(drawer(page).locator("summary").first()).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(part(page)).toBeVisible();
  await tab();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("radio", { name: "Faults" })).toBeFocused();
  await tab();
  await expect(field(page, "What happens")).toBeFocused();
  for (const label of ["Status", "Method", "Phone number or path", "Times"]) {
    await tab();
    await expect(field(page, label)).toBeFocused();
  }
  await page.keyboard.press("Enter");
  await expect(rows(page)).toHaveCount(1);
  await expect(field(page, "Times")).toBeFocused();
  await page.getByRole("radio", { name: "Faults" }).focus();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(drawer(page)).not.toHaveAttribute("open");
  await tab();
  await expect(page.locator("#phone-number")).toBeFocused();
});

test("keeps what is typed when the server is started again, and shows what it has then", async ({ page, expected }) => {
  expected.failures.push(/ERR_/);
  const server = await Server.start("--test");
  try {
    const { open: arrive, elsewhere } = over(page, server, server.account);
    await arrive();
    await elsewhere.control("PUT", "phones/4158675309", "busy");
    await open(page, "Phones");
    await expect(rows(page)).toHaveCount(1);
    await field(page, "Phone number").fill("415 8");
    await server.kill();
    await expect(page.locator("#notice")).toBeVisible();
    await server.restart();
    await expect(page.locator("#link-state")).toHaveAttribute("data-state", "live");
    await expect(rows(page)).toHaveCount(0);
    await expect(field(page, "Phone number")).toHaveValue("415 8");
    await expect(field(page, "Phone number")).toBeFocused();
  } finally {
    await server.stop();
  }
});

const PARTS = {
  Clock: () => {},
  Faults: async (page) => {
    await field(page, "What happens").selectOption("Hold the response");
    await field(page, "Phone number or path").fill("*/OutgoingCallerIds/PN*");
    await button(page, "Add").click();
    await field(page, "Phone number or path").fill("415");
    await button(page, "Add").click();
    await expect(rows(page)).toHaveCount(1);
  },
  Phones: async (page) => {
    await field(page, "Phone number").fill("*");
    await button(page, "Set").click();
    await part(page).getByText("Numbers that do this by themselves").click();
    await expect(rows(page)).toHaveCount(1);
  },
  Requests: (page) => expect(rows(page)).not.toHaveCount(0),
  Seed: async (page) => {
    await field(page, "Seed").fill("{");
    await button(page, "Add the seed").click();
    await part(page).getByText("Reset the account…").click();
    await expect(part(page)).toContainText("Invalid document");
  },
  Snapshots: async (page) => {
    await field(page, "Name").fill("before");
    await button(page, "Keep").click();
    await expect(rows(page)).toHaveCount(1);
  },
};

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

for (const [width, height] of [[320, 568], [768, 1024], [1280, 900]]) {
  test.describe(`${width} pixels`, () => {
    test.use({ viewport: { width, height } });
    // A test each, because axe takes seconds.
    for (const [name, reach] of Object.entries(PARTS)) {
      test(`the drawer’s part “${name}” is whole and accessible`, async ({ page, underTest, expected }) => {
        expected.failures.push(/status of 400/);
        await underTest.open();
        await open(page, name);
        await reach(page);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        const small = await drawer(page).locator("button:visible, input:visible, select:visible, summary:visible").evaluateAll((nodes) =>
          nodes.filter((node) => Math.min(node.getBoundingClientRect().width, node.getBoundingClientRect().height) < 24).map((node) => node.textContent));
        expect(small).toEqual([]);
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          await shoot(page, `testing-${name.toLowerCase()}-${width}-${colorScheme}`);
          const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
          expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(", ")}`)).toEqual([]);
        }
      });
    }
  });
}

test.describe("forced colours", () => {
  test.use({ contextOptions: { forcedColors: "active", reducedMotion: "reduce" } });
  test("the chosen part is visible", async ({ page, underTest }) => {
    await underTest.open();
    await open(page, "Faults");
    await shoot(page, "testing-forced");
    const style = (name) => page.locator(".testing-place .segment").filter({ hasText: name }).locator("span").evaluate((node) => getComputedStyle(node).outlineStyle);
    expect([await style("Faults"), await style("Clock")]).toEqual(["solid", "none"]);
  });
});

test("an account that is reset while a call is under way shows the next call", async ({ page, underTest }) => {
  await underTest.open();
  await ask(page);
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "ringing");
  await underTest.elsewhere.control("POST", "reset");
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "rest");
  await ask(page);
  const code = await shownCode(page);
  await answer(page);
  await press(page, code);
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
});
