// Builds `hosts/form` and uses it as a person would: behind Vite's proxy, with events, and with Playwright's routes, without.

import assert from "node:assert/strict";
import { join } from "node:path";
import { afterwards, bin, here, inBrowser, run, served, servedMock } from "./harness.mjs";

const root = join(here, "hosts/form");

export async function form() {
  await run(bin("tsc"), ["--project", root]);
  const { build, preview } = await import("vite");
  await build({ root, logLevel: "error", build: { outDir: "dist", emptyOutDir: true } });

  const { MockApi } = await import("callerid/mock");
  const mock = new MockApi({ validationCode: "012345" });
  await servedMock(mock, async () => {
    const configFile = join(here, "recipes/proxy/vite.config.js");
    const server = await preview({ root, configFile, logLevel: "error", preview: { port: 0, host: "127.0.0.1" } });
    try {
      const { port } = server.httpServer.address();
      await inBrowser(`http://127.0.0.1:${port}/?account=${mock.accountSid}`, { title: "Caller IDs", use: (page) => fillIn(page, mock) });
    } finally {
      await afterwards(server.close());
    }
  });
  mock.free();

  const { answerWithMock, mock: routed } = await import("./recipes/playwright.mjs");
  await served(join(root, "dist"), (origin) =>
    inBrowser(`${origin}/index.html?account=${routed.accountSid}`, {
      title: "Caller IDs",
      use: async (page) => {
        await answerWithMock(page);
        await fillIn(page, routed);
      },
    }),
  );
  routed.free();
}

/** Types a number with mistakes, validates it, and lets another call be declined. */
async function fillIn(page, mock) {
  const [number, name, status, alert] = [page.getByLabel("Phone number"), page.getByLabel("Name"), page.getByRole("status"), page.getByRole("alert")];
  const problem = page.locator("output");
  await number.focus();

  await page.keyboard.type("415867", { delay: 1 });
  assert.equal(await number.inputValue(), "415-867");
  assert.equal(await problem.count(), 0, "it is incomplete");
  await page.keyboard.type("5309");
  assert.equal(await number.inputValue(), "(415) 867-5309");
  // In the middle: a wrong digit, which the caret follows, and its deletion.
  for (let presses = 0; presses < 4; presses++) await page.keyboard.press("ArrowLeft");
  await page.keyboard.type("7");
  await problem.filter({ hasText: "That number has 11 digits. US numbers have 10." }).waitFor();
  await page.keyboard.press("Backspace");
  assert.equal(await number.inputValue(), "(415) 867-5309");
  assert.equal(await number.evaluate((input) => input.selectionStart), "(415) 867".length);
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Tab");
  await problem.filter({ hasText: "That number has 9 digits." }).waitFor();

  await number.fill("911");
  await problem.waitFor();
  await number.fill("415-867-5309");
  await name.fill("x".repeat(65));
  await alert.filter({ hasText: "A name has at most 64 characters." }).waitFor();
  await name.fill("Zoë");
  await page.keyboard.press("Enter");
  await status.filter({ hasText: "Key 012345 when your phone rings." }).waitFor();
  (await mock.phone("4158675309").rings()).answer().press("012345");
  await status.filter({ hasText: "Zoë is validated." }).waitFor();

  await number.fill("415-867-5309");
  await page.keyboard.press("Enter");
  await alert.filter({ hasText: "That number is validated already." }).waitFor();

  await number.fill("212-555-0123");
  await page.keyboard.press("Enter");
  await status.filter({ hasText: "Key 012345" }).waitFor();
  const call = await mock.phone("2125550123").rings();
  // Over routes there are no events, so a failed call is not noticed.
  if (await page.evaluate(async () => (await fetch("/api/_callerid/events", { method: "HEAD" })).status === 404)) return;
  call.decline();
  await alert.filter({ hasText: "The call was declined." }).waitFor();
}
