// All states, in light and dark, from 320 pixels to 4K: axe finds no problems, nothing is cut off or covered. Takes screenshots.

import AxeBuilder from "@axe-core/playwright";

import { answer, ask, expect, press, shoot, shownCode, test, wrong } from "../fixtures.js";

/** How to reach each state from the initial page. */
const STATES = {
  rest: async () => {},
  typed: async (page) => page.locator("#phone-number").fill("415-867-53@9"),
  errors: (page) => ask(page, { number: "911 867 5309", delay: "99" }),
  waiting: async (page) => {
    await ask(page, { delay: "60" });
    await expect(page.locator("#progress")).toHaveAttribute("data-state", "queued");
  },
  ringing: async (page) => {
    await ask(page, { name: "My Home Phone Number" });
    await expect(page.locator("#phone")).toHaveAttribute("data-state", "ringing");
  },
  answered: async (page) => {
    await STATES.ringing(page);
    const code = await shownCode(page);
    await answer(page);
    await press(page, code.slice(0, 3));
    await expect(page.locator("#phone-keyed")).toContainText("3 of 6");
  },
  "wrong-code": async (page) => {
    await STATES.ringing(page);
    const code = await shownCode(page);
    await answer(page);
    await press(page, wrong(code));
    await expect(page.locator("#progress")).toHaveAttribute("data-state", "wrong-2");
  },
  verified: async (page) => {
    await STATES.ringing(page);
    const code = await shownCode(page);
    await answer(page);
    await press(page, code);
    await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
    await expect(page.locator(".row").first()).toContainText("My Home Phone Number");
  },
  failed: async (page) => {
    await STATES.ringing(page);
    const code = await shownCode(page);
    await answer(page);
    await press(page, wrong(code).repeat(3));
    await expect(page.locator("#progress")).toHaveAttribute("data-state", "wrong-0");
  },
  declined: async (page) => {
    await STATES.ringing(page);
    await page.getByRole("button", { name: "Decline" }).click();
    await expect(page.locator("#progress")).toHaveAttribute("data-state", "busy");
  },
  renaming: (page) => page.getByRole("button", { name: /^Rename/ }).first().click(),
  deleting: (page) => page.getByRole("button", { name: /^Delete/ }).first().click(),
  "nothing-found": async (page) => {
    await page.getByRole("searchbox").fill("Nobody");
    await page.getByRole("searchbox").press("Enter");
    await expect(page.locator("#blank")).toBeVisible();
  },
  "wire": async (page) => {
    await STATES.verified(page);
    await page.locator("#wire-list").getByRole("button", { name: /POST.*OutgoingCallerIds/ }).click();
    await page.locator("#wire-title").scrollIntoViewIfNeeded();
  },
  "list-changed": async (page) => {
    await page.getByRole("button", { name: /^Rename/ }).first().click();
    await page.getByRole("textbox", { name: "Name of" }).fill("Half typ");
    await page.getByRole("button", { name: "Next" }).click();
    await expect(page.locator(".row-changed")).not.toBeEmpty();
  },
  "another-url": (page) => page.getByRole("radio", { name: "Another URL" }).check(),
};

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function judge(page) {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(", ")}`)).toEqual([]);
}

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

for (const [width, height] of [[320, 568], [768, 1024], [1280, 900]]) {
  test.describe(`${width} pixels`, () => {
    test.use({ viewport: { width, height }, hasTouch: width === 320 });
    for (const [state, reach] of Object.entries(STATES)) {
      test(state, async ({ page, mock }) => {
        await mock.open();
        await reach(page);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          await shoot(page, `${state}-${width}-${colorScheme}`);
          await judge(page);
        }
      });
    }
  });
}

/** Scrolls each element to the middle of the window, and returns those that something else covers there. */
const covered = (page, selector) => page.locator(selector).evaluateAll((nodes) => nodes.flatMap((node) => {
  node.scrollIntoView({ block: "center" });
  const { left, top, width, height } = node.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  return node === hit || node.contains(hit) || hit.contains(node) ? [] : [`${node.textContent} by ${hit.id || hit.className}`];
}));

for (const [width, height] of [[320, 568], [360, 780], [568, 320], [812, 375], [768, 1024]]) {
  test(`at ${width} × ${height} code and phone are in sight together, and the phone covers neither steps nor list`, async ({ page, mock }) => {
    await page.setViewportSize({ width, height });
    await mock.open();
    await STATES.ringing(page);
    const inSight = (locator) => expect(locator).toBeInViewport({ ratio: 1 });
    await inSight(page.locator("#phone-answer"));
    await inSight(page.locator("#code"));
    await shoot(page, `ringing-${width}x${height}`, { fullPage: false });
    expect(await covered(page, ".step, .cell-name, .cell-number, .cell-actions button, #copy-code")).toEqual([]);
    // Wherever the page is scrolled, a ringing phone is in sight.
    await page.locator(".row").last().scrollIntoViewIfNeeded();
    await inSight(page.locator("#phone-answer"));
    await answer(page);
    await inSight(page.locator("#code"));
    const end = await page.locator("#phone-end").boundingBox();
    for (const key of await page.locator(".key").all()) {
      await inSight(key);
      const box = await key.boundingBox();
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(60);
      // The red button is above or below all keys.
      expect(end.y + end.height <= box.y || end.y >= box.y + box.height).toBe(true);
    }
    expect(Math.max(end.width, end.height)).toBeLessThanOrEqual(72);
    await shoot(page, `talking-${width}x${height}`, { fullPage: false });
    expect(await covered(page, ".step, .cell-name, .cell-number, .cell-actions button, #copy-code")).toEqual([]);
  });
}

for (const [width, height] of [[900, 800], [1024, 768], [1440, 900], [1920, 1080], [3840, 2160]]) {
  test(`at ${width} × ${height} the phone is beside the form, and nothing is cut off`, async ({ page, mock }) => {
    await page.setViewportSize({ width, height });
    await mock.open();
    await STATES.answered(page);
    await expect(page.locator("#phone")).toBeInViewport({ ratio: 0.95 });
    await expect(page.locator("#code")).toBeInViewport({ ratio: 1 });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await shoot(page, `answered-${width}`, { fullPage: false });
  });
}

test("a key has enough contrast while it is pressed", async ({ page, mock }) => {
  await mock.open();
  await STATES.answered(page);
  const key = page.getByRole("button", { name: "5", exact: true });
  const colour = () => key.evaluate((it) => getComputedStyle(it).backgroundColor);
  // It may be one of the keys that were just pressed.
  await expect(page.locator(".key[data-down]")).toHaveCount(0);
  const up = await colour();
  await key.hover();
  await page.mouse.down();
  await expect.poll(colour).not.toBe(up);
  await shoot(page, "key-held-down");
  await judge(page);
});

test("targets are at least 24 pixels, keys at least 60", async ({ page, mock }) => {
  await mock.open();
  await STATES.answered(page);
  const small = await page.locator("button:visible, a:visible, input:visible, summary:visible").evaluateAll((nodes) =>
    nodes.filter((node) => !node.matches(".skip, [type=checkbox]")).flatMap((node) => {
      const { width, height } = node.getBoundingClientRect();
      const least = node.matches(".key, .round") ? 60 : 24;
      return Math.min(width, height) < least ? [`${node.id || node.textContent} ${width}×${height}`] : [];
    }));
  expect(small).toEqual([]);
});

test("changes of state and errors cause no layout shift", async ({ page, mock }) => {
  await mock.open();
  const top = async () => (await page.locator("#caller-ids").boundingBox()).y;
  const before = await top();
  await ask(page, { number: "911", name: "n".repeat(65), delay: "99" });
  expect(await top()).toBe(before);
  await page.locator("#phone-number").fill("(415) 867.5309");
  expect(await top()).toBe(before);
  await STATES.ringing(page);
  expect(await top()).toBe(before);
  const code = await shownCode(page);
  await answer(page);
  await press(page, wrong(code));
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "wrong-2");
  expect(await top()).toBe(before);
  await press(page, code);
  await expect(page.locator("#progress")).toHaveAttribute("data-state", "verified");
  expect(await top()).toBe(before);
});

test("animates ringing, unless reduced motion is preferred", async ({ page, mock }) => {
  await mock.open();
  await STATES.ringing(page);
  const running = () => page.evaluate(() => document.getAnimations().filter((it) => it.playState === "running" && it.effect.getTiming().iterations === Infinity).length);
  expect(await running()).toBe(0);
  await page.emulateMedia({ reducedMotion: "no-preference" });
  expect(await running()).toBeGreaterThan(0);
});

test.describe("forced colours", () => {
  test.use({ contextOptions: { forcedColors: "active", reducedMotion: "reduce" } });
  for (const state of ["rest", "answered", "failed"]) {
    test(`everything is visible: ${state}`, async ({ page, mock }) => {
      await mock.open();
      await STATES[state](page);
      await shoot(page, `${state}-forced`);
      for (const selector of [".segment", ".step-mark"]) await expect(page.locator(selector).first()).toBeVisible();
      const borders = await page.locator("button:visible").evaluateAll((nodes) => nodes.filter((node) => {
        const { borderTopWidth, borderTopColor } = getComputedStyle(node);
        return parseFloat(borderTopWidth) === 0 || borderTopColor === "rgba(0, 0, 0, 0)";
      }).map((node) => node.id || node.className));
      expect(borders.filter((name) => name !== "exchange")).toEqual([]);
    });
  }
});
