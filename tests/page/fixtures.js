// What every test stands on: a page over the mock or over the real server, watched for what must never happen.

import { mkdirSync } from "node:fs";

import { expect, test as base } from "@playwright/test";

import { Elsewhere, Server } from "./server.js";
import { serveStatic } from "./static-host.js";

const SCREENSHOTS = new URL("screenshots/", import.meta.url).pathname;
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
  /** A server of the test's own, to be ill-treated. */
  ownServer: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.stop();
  },
  /** What a test expects to go wrong: the browser's own words about failed requests, errors of the page's, other origins. */
  expected: async ({}, use) => use({ failures: [], errors: [], origins: [] }),
  /** No error in the console, and nothing asked of another origin. */
  page: async ({ page, expected }, use) => {
    const problems = [];
    watch(page, expected, problems);
    await use(page);
    expect(problems).toEqual([]);
  },
  /** The page over its own mock, from a static host. `open(query)` goes there. */
  mock: async ({ page, staticHost }, use) => {
    await use({ open: (query = "") => arrive(page, staticHost.url + query) });
  },
  /** The page over the real server, signed in to an account of its own. */
  server: async ({ page, sharedServer }, use) => {
    const account = await sharedServer.addAccount();
    await use(over(page, sharedServer, account));
  },
  /** Which of the two `host` is. */
  api: ["mock", { option: true }],
  host: async ({ api, mock, server }, use) => use(api === "mock" ? mock : server),
});

/** The page over that server: `open()` goes there by an address that signs in, `signedIn()`; `elsewhere` is another client. */
export function over(page, server, account) {
  return {
    account,
    url: server.url,
    elsewhere: new Elsewhere(server.url, account),
    signedIn: () => server.signedIn(account),
    open: async () => arrive(page, await server.signedIn(account)),
  };
}

/** Goes to the page, and waits until it has read its list. */
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

/** Everything that was said to those who listen, as one text. */
export const said = (page) => page.evaluate(() => window.said.join(" | "));

/** Waits until that was said. */
export async function hear(page, text) {
  await expect.poll(() => said(page), { message: `“${text}” is said` }).toContain(text);
}

/** The code that is shown. */
export async function shownCode(page) {
  await expect(page.locator("#code-digits")).toHaveText(/^\d{6}$/);
  return page.locator("#code-digits").textContent();
}

/** Asks for a call. */
export async function ask(page, { number = "(415) 867.5309", name = "", delay = "0" } = {}) {
  await page.locator("#phone-number").fill(number);
  await page.locator("#friendly-name").fill(name);
  await page.locator("#call-delay").fill(delay);
  await page.getByRole("button", { name: "Call me" }).click();
}

/** The steps, each with what it is: `now: Ringing (415) 867-5309`. */
export const steps = (page) => page.locator(".step").evaluateAll((items) => items.map((item) => `${item.dataset.is}: ${item.lastElementChild.children[1].textContent}`));

export const answer = (page) => page.getByRole("button", { name: "Answer", exact: true }).click();

/** Presses keys of the phone. */
export async function press(page, digits) {
  for (const digit of digits) await page.locator("#keypad").getByRole("button", { name: digit, exact: true }).click();
}

/** A code that is not this one. */
export const wrong = (code) => (code === "000000" ? "111111" : "000000");

/** A picture for people to look at: of the whole page, or of what the window shows. */
export const shoot = (page, name, { fullPage = true } = {}) => page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage, animations: "disabled" });
