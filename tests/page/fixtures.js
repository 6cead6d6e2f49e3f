// Fixtures: a page over the mock or the real server. A test fails on unexpected console errors and requests to other origins.

import { mkdirSync } from "node:fs";

import { expect, test as base } from "@playwright/test";

import { Elsewhere, Server } from "./server.js";
import { serveStatic } from "./static-host.js";

/** The folder for screenshots. */
export const SCREENSHOTS = new URL("screenshots/", import.meta.url).pathname;
mkdirSync(SCREENSHOTS, { recursive: true });

export { expect };

export const test = base.extend({
  staticHost: [
    async ({}, use) => {
      const host = await serveStatic();
      await use(host);
      host.close();
    },
    { scope: "worker" },
  ],
  sharedServer: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],
  testServer: [
    async ({}, use) => {
      const server = await Server.start("--test");
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],
  /** A server for this test only, which it may stop or kill. */
  ownServer: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.stop();
  },
  /** Patterns of the problems that a test expects: failed requests, errors of the page, requests to other origins. */
  expected: async ({}, use) => use({ failures: [], errors: [], origins: [] }),
  /** Fails the test on console errors and on requests to other origins. */
  page: async ({ page, expected }, use) => {
    const problems = [];
    watch(page, expected, problems);
    await use(page);
    expect(problems).toEqual([]);
  },
  /** The page over its own mock, from a static host. `open(query)` opens it. */
  mock: async ({ page, staticHost }, use) => {
    await use({ open: (query = "") => arrive(page, staticHost.url + query) });
  },
  /** The page over the real server, signed in to a separate account. */
  server: async ({ page, sharedServer }, use) => {
    const account = await sharedServer.addAccount();
    await use(over(page, sharedServer, account));
  },
  /** The same over a server that is under the control of tests. */
  underTest: async ({ page, testServer }, use) => {
    const account = await testServer.addAccount();
    await use(over(page, testServer, account));
  },
  /** Which of the two `host` uses. */
  api: ["mock", { option: true }],
  host: async ({ api, mock, server }, use) => use(api === "mock" ? mock : server),
});

/** The page over a server. `open()` opens it with an address that signs in, `signedIn()`; `elsewhere` is another client. */
export function over(page, server, account) {
  return {
    account,
    url: server.url,
    elsewhere: new Elsewhere(server.url, account),
    signedIn: () => server.signedIn(account),
    open: async () => arrive(page, await server.signedIn(account)),
  };
}

/** Opens the page and waits until its list is loaded. */
export async function arrive(page, url) {
  await page.addInitScript(() => {
    window.said = [];
    addEventListener("DOMContentLoaded", () => {
      const region = document.getElementById("announcer");
      if (region) new MutationObserver(() => region.textContent && window.said.push(region.textContent.trim())).observe(region, { childList: true });
    });
  });
  await page.goto(url);
  await expect(page.locator("#link-state")).toHaveAttribute("data-state", "live");
  await expect(page.locator("#caller-ids-count")).not.toBeEmpty();
}

function watch(page, { failures, errors, origins }, problems) {
  const wentWrong = (expected, type, text) => expected.some((pattern) => pattern.test(text)) || problems.push(`${type}: ${text}`);
  page.on("pageerror", (error) => wentWrong(errors, "error", error.message));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wentWrong(failures, message.type(), message.text()));
  page.on("request", (request) => {
    const url = new URL(request.url());
    const own = new URL(page.url() === "about:blank" ? request.url() : page.url()).origin;
    if (url.protocol !== "data:" && url.origin !== own && !origins.includes(url.origin)) problems.push(`asked ${url.origin}`);
  });
}

/** All screen reader announcements, as one text. */
export const said = (page) => page.evaluate(() => window.said.join(" | "));

/** Waits for an announcement. */
export async function hear(page, text) {
  await expect.poll(() => said(page), { message: `“${text}” is said` }).toContain(text);
}

/** The code shown on the page. */
export async function shownCode(page) {
  await expect(page.locator("#code-digits")).toHaveText(/^\d{6}$/);
  return page.locator("#code-digits").textContent();
}

/** Requests a call. */
export async function ask(page, { number = "(415) 867.5309", name = "", delay = "0" } = {}) {
  await page.locator("#phone-number").fill(number);
  await page.locator("#friendly-name").fill(name);
  await page.locator("#call-delay").fill(delay);
  await page.getByRole("button", { name: "Call me" }).click();
}

/** The steps with their states: `now: Ringing (415) 867-5309`. */
export const steps = (page) => page.locator(".step").evaluateAll((items) => items.map((item) => `${item.dataset.is}: ${item.lastElementChild.children[1].textContent}`));

export const answer = (page) => page.getByRole("button", { name: "Answer", exact: true }).click();

/** Presses keys on the phone. */
export async function press(page, digits) {
  for (const digit of digits) await page.locator("#keypad").getByRole("button", { name: digit, exact: true }).click();
}

/** A different code. */
export const wrong = (code) => (code === "000000" ? "111111" : "000000");

/** Takes a screenshot for review, of the whole page or of the window. */
export const shoot = (page, name, { fullPage = true } = {}) => page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage, animations: "disabled" });
