// Measures how long the page takes to start, in wall-clock time: from the navigation until everything can be used. Prints JSON for
// `cargo xtask bench page`.

import { createServer } from "node:http";

import { chromium } from "@playwright/test";

import { ARGUMENTS, findChromium } from "./browser.js";
import { Server } from "./server.js";

const RUNS = 15;
const READY = "callerid-started";

/** The baseline: an empty page with one module. */
const EMPTY = {
  "/": ["text/html", "<!doctype html><title>empty</title><script type=module src=ready.js></script>"],
  "/ready.js": ["text/javascript", `performance.mark("${READY}")`],
};

const empty = createServer(({ url }, response) => {
  const [type, body] = EMPTY[url] ?? [];
  response.writeHead(body ? 200 : 404, { "content-type": type ?? "text/plain", "cache-control": "no-cache" }).end(body);
});
await new Promise((resolve) => empty.listen(0, "127.0.0.1", resolve));
const server = await Server.start();
const browser = await chromium.launch({ executablePath: findChromium(), args: ARGUMENTS });

const figures = { first: [], again: [], empty: [] };
for (let run = 0; run < RUNS; run++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const start = async (url) => {
    await page.goto("about:blank");
    await page.goto(url);
    await page.waitForFunction((mark) => performance.getEntriesByName(mark).length > 0, READY);
    return page.evaluate((mark) => performance.getEntriesByName(mark)[0].startTime, READY);
  };
  figures.first.push(await start(await server.signedIn(server.account)));
  figures.again.push(await start(await server.signedIn(server.account)));
  figures.empty.push(await start(`http://127.0.0.1:${empty.address().port}/`));
  await context.close();
}
await browser.close();
await server.stop();
empty.close();

const median = (values) => values.sort((one, other) => one - other)[values.length >> 1];
const row = (name, values) => [name, median(values), `${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))}`];
const rows = [row("the page", figures.first), row("the page, seen before", figures.again), row("an empty page", figures.empty)];
console.log(JSON.stringify([{ title: `start of the page, signed in, over loopback; median of ${RUNS}`, unit: "ms", rows }]));
