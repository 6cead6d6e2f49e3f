// The same page in Firefox, if this machine has one: from a number to a caller ID, over the mock and over the real server. The other
// specs run in Chromium. Puppeteer drives the system's Firefox; Playwright needs a build of its own.

import puppeteer from "puppeteer-core";

import { findFirefox } from "../browser.js";
import { expect, SCREENSHOTS, test as base } from "../fixtures.js";

const executablePath = findFirefox();

const test = base.extend({
  /** A page in Firefox. The test fails on errors of the page. */
  firefox: async ({}, use) => {
    const browser = await puppeteer.launch({ browser: "firefox", executablePath });
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await use(page);
    await browser.close();
    expect(errors).toEqual([]);
  },
});

test.skip(!executablePath, "no Firefox is found");

const text = (page, selector) => page.$eval(selector, (node) => node.textContent);
const value = (page, selector) => page.$eval(selector, (node) => node.value);
const focused = (page) => page.evaluate(() => document.activeElement.id);
const state = (page, selector) => page.$eval(selector, (node) => node.dataset.state);

async function arrive(page, url) {
  await page.goto(url);
  await expect.poll(() => state(page, "#link-state")).toBe("live");
  await expect.poll(() => text(page, "#caller-ids-count")).not.toBe("");
}

/** Asks for a call by keyboard, and answers it. Returns the code. */
async function askAndAnswer(page) {
  await page.focus("#phone-number");
  await page.keyboard.type("(415) 867.5309");
  await page.keyboard.press("Enter");
  await expect.poll(() => focused(page)).toBe("phone-answer");
  await page.keyboard.type("42");
  expect(await value(page, "#phone-number")).toBe("(415) 867.5309");
  await page.keyboard.press("Enter");
  await expect.poll(() => focused(page)).toBe("keypad");
  return text(page, "#code-digits");
}

for (const width of [320, 1280]) {
  test(`Firefox at ${width} px: validates a number, finds it in the list and renames it`, async ({ firefox: page, staticHost }) => {
    await page.setViewport({ width, height: 800 });
    await arrive(page, `${staticHost.url}?seed=30`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.focus("#phone-number");
    await page.keyboard.type("415 867 530");
    await page.keyboard.press("Enter");
    await expect.poll(() => text(page, "#phone-number-feedback")).toBe("That number has 9 digits. US numbers have 10.");
    await page.evaluate(() => (document.getElementById("phone-number").value = ""));
    const code = await askAndAnswer(page);
    // It scrolls smoothly.
    await expect.poll(() => page.$eval("#keypad", (node) => innerHeight - node.getBoundingClientRect().bottom)).toBeGreaterThan(0);
    await page.screenshot({ path: `${SCREENSHOTS}firefox-talking-${width}.png` });
    await page.keyboard.type(code);
    await expect.poll(() => state(page, "#progress")).toBe("verified");
    expect(await value(page, "#phone-number")).toBe("");
    await page.screenshot({ path: `${SCREENSHOTS}firefox-verified-${width}.png`, fullPage: true });

    await page.focus("#filter");
    await page.keyboard.type("867-5309");
    await expect.poll(() => page.$$eval(".row", (rows) => rows.map((row) => row.querySelector(".cell-number").textContent))).toEqual(["(415) 867-5309"]);
    await page.focus(".cell-actions button");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Half");
    await page.evaluate(() => {
      document.getElementById("filter").value = "Extension 1";
      document.getElementById("filter").dispatchEvent(new Event("input"));
    });
    await expect.poll(() => page.$$eval(".row", (rows) => rows.length)).toBe(11);
    await page.keyboard.type(" typed");
    await page.keyboard.press("Enter");
    await expect.poll(() => text(page, "#announcer")).toContain("Renamed to Half typed.");
  });
}

test("Firefox: validates a number over the real server, and follows its events", async ({ firefox: page, sharedServer }) => {
  const account = await sharedServer.addAccount();
  await arrive(page, await sharedServer.signedIn(account));
  await page.keyboard.type(await askAndAnswer(page));
  await expect.poll(() => state(page, "#progress")).toBe("verified");
  await expect.poll(() => text(page, "#caller-ids-count")).toBe("1");
});
