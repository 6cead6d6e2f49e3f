// Validations from the number to the caller ID, over the mock and over the real server, and all failures.

import { answer, ask, expect, hear, press, said, shoot, shownCode, steps, test, wrong } from "../fixtures.js";

for (const api of ["mock", "server"]) {
  test.describe(`over the ${api}`, () => {
    test.use({ api });
    test.beforeEach(async ({ host }) => host.open());

    test("validates a number by keyboard only", async ({ page }) => {
      const focused = (selector) => expect(page.locator(selector)).toBeFocused();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await focused("#phone-number");
      await page.keyboard.type("1 (415) 867.5309");
      await expect(page.locator("#phone-number-feedback")).toHaveText("4158675309, shown as (415) 867-5309");
      await expect(page.locator("#phone-number")).toHaveValue("1 (415) 867.5309");
      await page.keyboard.press("Tab");
      await page.keyboard.type("My Home Phone Number");
      await page.keyboard.press("Enter");
      const code = await shownCode(page);
      await hear(page, `Your code is ${[...code.slice(0, 3)].join(" ")}, ${[...code.slice(3)].join(" ")}.`);
      await hear(page, "Ringing (415) 867-5309.");
      await expect(page).toHaveTitle(/^Ringing: \(415\) 867-5309/);
      await focused("#phone-answer");
      // Digits do not go into the number field, which had the focus before.
      await page.keyboard.type("42");
      await expect(page.locator("#phone-number")).toHaveValue("1 (415) 867.5309");
      await page.keyboard.press("Enter");
      await focused("#keypad");
      await hear(page, "Answered. Enter the code on the phone: 3 attempts left.");
      await page.keyboard.type(code.slice(0, 2));
      await expect(page.locator("#phone-keyed")).toContainText("2 of 6 digits entered");
      await page.keyboard.type(code.slice(2));
      await hear(page, "Verified. (415) 867-5309 is one of your caller IDs.");
      await focused("#phone-done");
      await page.keyboard.press("Enter");
      await focused("#caller-ids-title");
      const row = page.locator(".row").filter({ hasText: "My Home Phone Number" });
      await expect(row).toContainText("(415) 867-5309");
      expect(await steps(page)).toEqual([
        "done: Validation requested",
        "done: Rang (415) 867-5309",
        "done: Answered, and the code was correct",
        "done: (415) 867-5309 is one of your caller IDs",
      ]);
    });

    test("validates a number by mouse: a wrong code, star to restart, then the right code", async ({ page }) => {
      await ask(page);
      const code = await shownCode(page);
      await answer(page);
      await press(page, wrong(code));
      await hear(page, "Wrong code. 2 attempts left.");
      await expect(page.locator("#phone-says")).toHaveText("Wrong code. 2 attempts left.");
      await press(page, "12");
      await page.getByRole("button", { name: "Star, start again" }).click();
      await press(page, code);
      await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
    });

    test("three wrong codes end the call, and a new call has a new code", async ({ page }) => {
      await ask(page, { name: "Bob Cell Phone 2" });
      const code = await shownCode(page);
      await answer(page);
      await press(page, wrong(code).repeat(3));
      await hear(page, "The call ended after three wrong codes. Call again for a new code.");
      expect((await steps(page))[2]).toBe("failed: The call ended after three wrong codes");
      await expect(page.locator("#phone-number")).toHaveValue("(415) 867.5309");
      await expect(page.getByRole("button", { name: "Copy code" })).toBeDisabled();
      await page.locator("#call-again").click();
      await expect(page.locator("#progress")).toHaveAttribute("data-state", "ringing");
      await expect(page.locator("#phone-answer")).toBeFocused();
      const second = await shownCode(page);
      await answer(page);
      await press(page, second);
      await expect(page.locator(".row").filter({ hasText: "Bob Cell Phone 2" })).toBeVisible();
    });

    test("shows a declined call", async ({ page }) => {
      await ask(page);
      await page.getByRole("button", { name: "Decline" }).click();
      await hear(page, "(415) 867-5309 was busy or declined the call. Call again when the phone is free.");
      await expect(page.locator("#phone")).toHaveAttribute("data-state", "over");
      expect((await steps(page))[1]).toMatch(/^failed: /);
    });

    test("shows a call that was hung up before the code was entered", async ({ page }) => {
      await ask(page);
      await answer(page);
      await press(page, "12");
      await page.getByRole("button", { name: "Hang up" }).click();
      await hear(page, "Hung up before the code was entered. Call again, and enter the new code.");
    });

    test("counts down to a delayed call, which then rings", async ({ page }) => {
      await ask(page, { delay: "2" });
      await expect(page.locator(".step[data-is=now]")).toHaveText(/^Now: Calling \(415\) 867-5309( in [12] seconds?)?$/);
      await expect(page.locator("#phone")).toHaveAttribute("data-state", "rest");
      await hear(page, "The phone rings in ");
      await hear(page, "Ringing (415) 867-5309.");
      await expect(page.locator("#phone")).toHaveAttribute("data-state", "ringing");
    });

    test("restores the code, the call and the digits after a reload during a call", async ({ page, host }) => {
      await ask(page, { name: "Kept" });
      const code = await shownCode(page);
      await answer(page);
      await press(page, code.slice(0, 2));
      await expect(page.locator("#phone-keyed")).toContainText("2 of 6");
      // The page shows a key before the service has received it.
      if (host.elsewhere) await expect.poll(async () => (await host.elsewhere.calls())[0].digits_keyed).toBe(2);
      else await expect.poll(() => keptByMock(page)).toContain(inSnapshot(code.slice(0, 2)));
      await page.reload();
      await expect(page.locator("#progress")).toHaveAttribute("data-state", "answered");
      expect(await shownCode(page)).toBe(code);
      await expect(page.locator("#phone-keyed")).toContainText("2 of 6");
      await press(page, code.slice(2));
      await expect(page.locator(".row").filter({ hasText: "Kept" })).toBeVisible();
    });

    test("“Didn’t get a call?” requests a new call, which replaces the old one", async ({ page }) => {
      await ask(page);
      await shownCode(page);
      await page.getByText("Didn’t get a call?").click();
      await page.getByRole("button", { name: "Call again with a new code" }).click();
      await expect.poll(() => said(page)).toMatch(/Ringing.*Ringing/);
      await expect(page.locator("#progress")).toHaveAttribute("data-state", "ringing");
      const code = await shownCode(page);
      await answer(page);
      await press(page, code);
      await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
    });
  });
}

test("shows a busy call, an unanswered call, and a request from elsewhere", async ({ page, server }) => {
  await server.open();
  await ask(page);
  await shownCode(page);
  await server.elsewhere.phone("busy");
  await hear(page, "(415) 867-5309 was busy or declined the call.");
  await ask(page);
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "ringing");
  await server.elsewhere.phone("no-answer");
  await hear(page, "Nobody answered (415) 867-5309. Keep the phone nearby, and call again.");
  await ask(page);
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "ringing");
  await server.elsewhere.send("POST", server.elsewhere.path, { PhoneNumber: "4158675309" });
  await hear(page, "Replaced by another request for this number.");
});

test("shows that a code has expired", async ({ page, mock }) => {
  await page.clock.install();
  await mock.open();
  await ask(page);
  await shownCode(page);
  await answer(page);
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "answered");
  await expect(page.locator("#code-expiry")).toHaveText(/^Valid for (10:00|9:5\d)$/);
  await page.clock.runFor("09:05");
  await hear(page, "The code expires in one minute.");
  await page.clock.runFor("01:00");
  await hear(page, "The code expired after ten minutes. Call again for a new code.");
});

test("announces a countdown only at milestones", async ({ page, mock }) => {
  await page.clock.install();
  await mock.open();
  await ask(page, { delay: "12" });
  await hear(page, "The phone rings in 1");
  await page.clock.runFor(15_000);
  await hear(page, "Ringing (415) 867-5309.");
  const counted = (await said(page)).match(/The phone rings in \d+ seconds?/g);
  expect(counted.slice(1)).toEqual(["The phone rings in 10 seconds", "The phone rings in 5 seconds"]);
});

test("typed digits press keys only while the phone has the focus", async ({ page, mock }) => {
  await mock.open();
  await ask(page);
  await shownCode(page);
  await answer(page);
  await page.locator("#friendly-name").focus();
  await page.keyboard.type("42");
  await expect(page.locator("#phone-keyed")).toContainText("0 of 6");
  await page.locator("#keypad").getByRole("button", { name: "1", exact: true }).focus();
  await page.keyboard.type("7");
  await expect(page.locator("#phone-keyed")).toContainText("1 of 6");
});

test("sound is off by default", async ({ page, mock }) => {
  await page.addInitScript(() => {
    window.tones = [];
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) {
      window.tones.push(this.frequency.value);
      return start.apply(this, when);
    };
  });
  await mock.open();
  await ask(page);
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "ringing");
  expect(await page.evaluate(() => window.tones)).toEqual([]);
  const sound = page.getByRole("button", { name: "Sound" });
  await expect(sound).toHaveAttribute("aria-pressed", "false");
  await sound.click();
  await expect(sound).toHaveAttribute("aria-pressed", "true");
  expect(await page.evaluate(() => window.tones)).toEqual([440, 480]);
  await answer(page);
  await press(page, "1");
  expect(await page.evaluate(() => window.tones.slice(2))).toEqual([697, 1209]);
});

test("copies the code as six digits, and reads it digit by digit", async ({ page, mock }) => {
  await mock.open();
  await ask(page);
  const code = await shownCode(page);
  await page.getByRole("button", { name: "Copy code" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
  await expect(page.locator("#code-spoken")).toHaveText(`${[...code.slice(0, 3)].join(" ")}, ${[...code.slice(3)].join(" ")}`);
  await shoot(page, "ringing-light");
});

for (const width of [320, 1280]) {
  test(`at ${width} px the phone shows this page’s own call first, and the others are counted and reachable`, async ({ page, server }) => {
    await page.setViewportSize({ width, height: width === 320 ? 568 : 900 });
    const { elsewhere } = server;
    const create = (PhoneNumber) => elsewhere.send("POST", elsewhere.path, { PhoneNumber });
    await create("4158675301");
    await create("4158675302");
    await server.open();
    const shown = page.locator("#phone-number-shown");
    const other = page.locator("#phone-other");
    await expect(page.locator("#phone-what")).toHaveText("Requested elsewhere");
    await expect(other).toHaveText("1 other call");
    await ask(page, { number: "4158675309" });
    const code = await shownCode(page);
    await expect(shown).toHaveText("(415) 867-5309");
    await expect(other).toHaveText("2 other calls");
    await expect(page).toHaveTitle(/^Ringing: \(415\) 867-5309/);
    // A later call does not replace it.
    await create("4158675303");
    await expect(other).toHaveText("3 other calls");
    await expect(shown).toHaveText("(415) 867-5309");
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await shoot(page, `others-ring-${width}-${colorScheme}`, { fullPage: false });
    }
    // The others come in turn, and then the own call again.
    const seen = [];
    for (let turn = 0; turn < 4; turn++) {
      await other.click();
      await expect(page.locator("#phone-answer")).toBeFocused();
      seen.push(await shown.textContent());
    }
    expect(new Set(seen)).toEqual(new Set(["(415) 867-5301", "(415) 867-5302", "(415) 867-5303", "(415) 867-5309"]));
    expect(seen.at(-1)).toBe("(415) 867-5309");
    await answer(page);
    await press(page, code);
    await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
    // The phone stays with the panel until it is put down.
    await expect(shown).toHaveText("(415) 867-5309");
    await expect(other).toHaveText("3 other calls");
    await page.getByRole("button", { name: "Done" }).click();
    await expect(shown).toHaveText("(415) 867-5303");
  });
}

test("a code keyed for one call is no wrong entry of another’s", async ({ page, server }) => {
  const { elsewhere } = server;
  await server.open();
  await elsewhere.send("POST", elsewhere.path, { PhoneNumber: "4158675301" });
  await answer(page);
  await press(page, "1");
  await expect(page.locator("#phone-says")).toHaveText("Its code is shown where it was requested.");
  // The own call takes over as soon as it rings, with the focus.
  await ask(page, { number: "4158675309", delay: "1" });
  await expect(page.locator("#phone")).toBeFocused();
  await expect(page.locator("#phone-number-shown")).toHaveText("(415) 867-5309");
  await expect(page.locator("#phone-answer")).toBeFocused();
  const code = await shownCode(page);
  await page.locator("#phone-other").click();
  await expect(page.locator("#phone-number-shown")).toHaveText("(415) 867-5301");
  await expect(page.locator("#phone-keyed")).toContainText("1 of 6");
  await page.getByRole("button", { name: "Star, start again" }).click();
  await press(page, code);
  await expect(page.locator("#phone-says")).toHaveText("That is the code for (415) 867-5309, not for this call.");
  await hear(page, "That is the code for (415) 867-5309, not for this call.");
  await expect(page.locator("#phone-keyed")).toContainText("0 of 6");
  await expect.poll(async () => (await elsewhere.calls()).map((call) => [call.entries_left, call.digits_keyed])).toEqual([[3, 0], [3, 0]]);
  await page.locator("#phone-other").click();
  await answer(page);
  await press(page, code);
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
});

test("the panel speaks of the call that the phone shows", async ({ page, mock }) => {
  await mock.open();
  await ask(page, { number: "4158675301" });
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "ringing");
  const first = await shownCode(page);
  await ask(page, { number: "4158675302" });
  const panel = page.locator("#steps");
  await expect(panel).toContainText("Ringing (415) 867-5302");
  expect(await shownCode(page)).not.toBe(first);
  await page.locator("#phone-other").click();
  await expect(panel).toContainText("Ringing (415) 867-5301");
  expect(await shownCode(page)).toBe(first);
  await page.reload();
  await expect(page.locator("#phone-other")).toHaveText("1 other call");
  if ((await page.locator("#phone-number-shown").textContent()) !== "(415) 867-5301") await page.locator("#phone-other").click();
  await answer(page);
  await press(page, first);
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
  await page.getByRole("button", { name: "Done" }).click();
  await expect(panel).toContainText("Ringing (415) 867-5302");
});

test("the code can be pasted on the keypad, wherever the focus is, but not into another’s field", async ({ page, mock }) => {
  await mock.open();
  await ask(page);
  const code = await shownCode(page);
  await answer(page);
  await expect(page.locator("#keypad")).toBeFocused();
  await page.evaluate(() => navigator.clipboard.writeText("(415) 867-5309"));
  await page.keyboard.press("ControlOrMeta+v");
  await hear(page, "What you pasted is not a six-digit code.");
  await expect(page.locator("#phone-says")).toHaveText("What you pasted is not a six-digit code.");
  await press(page, "12");
  await page.locator("#friendly-name").focus();
  await page.evaluate((text) => navigator.clipboard.writeText(text), wrong(code));
  await page.keyboard.press("ControlOrMeta+v");
  await expect(page.locator("#friendly-name")).toHaveValue(wrong(code));
  await expect(page.locator("#phone-keyed")).toContainText("2 of 6");
  await page.getByRole("button", { name: "Copy code" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  await page.keyboard.press("ControlOrMeta+v");
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
});

test("the phone’s paste button keys the copied code", async ({ page, mock }) => {
  await mock.open();
  await ask(page);
  await shownCode(page);
  await page.getByRole("button", { name: "Copy code" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  await answer(page);
  await page.getByRole("button", { name: "Paste" }).click();
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
});

test("after asking, the focus waits at the phone for a delayed call; it does not leave a field that is typed in", async ({ page, mock }) => {
  await mock.open();
  await ask(page, { delay: "1" });
  await expect(page.locator("#phone")).toBeFocused();
  await page.keyboard.type("123");
  await expect(page.locator("#phone-answer")).toBeFocused();
  await expect(page.locator("#phone-number")).toHaveValue("(415) 867.5309");
  await page.keyboard.press("Enter");
  await expect(page.locator("#keypad")).toBeFocused();
  await ask(page, { number: "2125550143", delay: "1" });
  await page.locator("#friendly-name").focus();
  await expect(page.locator("#phone-number-shown")).toHaveText("(212) 555-0143");
  await expect(page.locator("#friendly-name")).toBeFocused();
});

/** The snapshot of the mock that the page last stored for a reload. */
const keptByMock = (page) => page.evaluate(() => atob(JSON.parse(sessionStorage.getItem("callerid.mock") ?? '""')));

/** Encodes a string as in a snapshot: after its length. */
const inSnapshot = (text) => `${String.fromCharCode(text.length)}${text}`;
