// The page's start: what it requests, its processor time, and layout shifts.

import { expect, shoot, test } from "../fixtures.js";

const RUNS = 5;

/** The paths of the resources in the document's head, sorted. */
const namedPaths = (page) => page.locator("head :is(link[href], script[src])")
  .evaluateAll((nodes) => nodes.map((node) => new URL(node.href ?? node.src).pathname).sort());

test("starts with the files that the document names, and takes less than 400 ms of the renderer’s processor time", async ({ browser, server }) => {
  const starts = [];
  for (let run = 0; run < RUNS; run++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    // Open another page of this origin first, so that the renderer runs and only the page's own start is measured.
    await page.goto(`${server.url}/icon.svg`);
    const devtools = await context.newCDPSession(page);
    await devtools.send("Performance.enable");
    const spent = async () => (await devtools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "ProcessTime").value * 1000;
    const address = await server.signedIn();
    const before = await spent();
    await page.goto(address);
    await expect(page.locator("#link-state")).toHaveAttribute("data-state", "live");
    const cost = (await spent()) - before;
    const ready = await page.evaluate(() => performance.getEntriesByName("callerid-started")[0].startTime);
    starts.push({ cost, ready });
    const files = () => page.evaluate(() => {
      const paths = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
      return [...new Set(paths.filter((path) => /\.\w+$/.test(path)))].sort();
    });
    // Polled, because the browser may request the icon after everything else.
    await expect.poll(files).toEqual(await namedPaths(page));
    await context.close();
  }
  const median = (values) => values.sort((one, other) => one - other)[RUNS >> 1];
  // Wall-clock time depends on the load of the machine: `cargo xtask bench page` measures it.
  console.log(`ready after ${Math.round(median(starts.map(({ ready }) => ready)))} ms, ${Math.round(median(starts.map(({ cost }) => cost)))} ms of processor time (medians of ${RUNS})`);
  // Twice what an idle machine takes: on a busy one, shared caches and cores make the same work take up to 1.5 times as long.
  expect(Math.min(...starts.map(({ cost }) => cost))).toBeLessThan(400);
});

for (const [width, height] of [[320, 568], [1280, 900]]) {
  test(`at ${width} × ${height} everything is in its final place before the scripts are loaded`, async ({ page, server }) => {
    await page.setViewportSize({ width, height });
    let goOn;
    const released = new Promise((resolve) => (goOn = resolve));
    await page.route("**/main.js", (route) => released.then(() => route.continue()));
    const places = () => page.locator(".link-state, .connections, .validate, #progress, #steps, #phone, #caller-ids, .table-place, .wire")
      .evaluateAll((nodes) => nodes.map((node) => `${node.id || node.className}: ${node.getBoundingClientRect().top}`));
    const opened = server.open();
    await expect(page.locator("#wire-list")).toBeAttached();
    // Wait for all style sheets, because a layout without one of them is never shown.
    const withoutStyle = () => page.locator("link[rel=stylesheet]").evaluateAll((links) => links.filter(({ sheet }) => !sheet).map(({ href }) => href));
    await expect.poll(withoutStyle).toEqual([]);
    const before = await places();
    goOn();
    await opened;
    expect(await places()).toEqual(before);
  });
}

test("reports that the core could not be loaded, and offers to reload", async ({ page, expected, staticHost }) => {
  expected.failures.push(/ERR_FAILED/);
  expected.errors.push(/Failed to fetch/);
  await page.route("**/callerid.wasm", (route) => route.abort());
  await page.goto(staticHost.url);
  await expect(page.locator("#link-text")).toHaveText("Not started");
  await expect(page.locator("#notice-title")).toHaveText("Part of this page could not be loaded.");
  await shoot(page, "not-started");
  await page.unroute("**/callerid.wasm");
  await page.getByRole("button", { name: "Reload" }).click();
  await expect(page.locator("#link-state")).toHaveAttribute("data-state", "live");
  await expect(page.locator("#notice")).toBeHidden();
});

test("reports that the mock could not be loaded, and offers to reload", async ({ page, expected, server }) => {
  expected.failures.push(/ERR_FAILED/);
  expected.errors.push(/Failed to fetch/);
  await server.open();
  await page.route("**/mock/callerid.wasm", (route) => route.abort());
  await page.getByRole("radio", { name: "Mock in this page" }).check();
  await expect(page.locator("#notice-title")).toHaveText("Part of this page could not be loaded.");
  await page.getByRole("button", { name: "Reload" }).click();
  await expect(page.locator("#link-state")).toHaveAttribute("data-state", "live");
  await expect(page.getByRole("radio", { name: "This server" })).toBeChecked();
});

test("the document preloads exactly the modules that the page loads", async ({ page, mock, staticHost }) => {
  let named;
  await page.route(staticHost.url, async (route) => {
    const response = await route.fetch();
    const html = await response.text();
    const paths = [...html.matchAll(/<link rel="modulepreload" href="(.*)">|<script .*src="(.*)">/g)].map(([, link, script]) => link ?? script);
    named = paths.map((path) => new URL(path, staticHost.url).pathname).sort();
    // Without the links, the browser finds the modules only by their imports.
    await route.fulfill({ response, body: html.replaceAll(/<link rel="modulepreload".*>/g, "") });
  });
  const loaded = new Set();
  page.on("request", (request) => request.url().endsWith(".js") && loaded.add(new URL(request.url()).pathname));
  await mock.open();
  // The mock is loaded when the page connects to it.
  const atStart = [...loaded].filter((path) => !path.includes("/callerid/mock/"));
  expect(atStart.sort()).toEqual(named);
});

test("requests all files at once: none waits for the content of another", async ({ page, server }) => {
  let goOn;
  const released = new Promise((resolve) => (goOn = resolve));
  await page.route(/\/(main|callerid)\.js$/, (route) => released.then(() => route.continue()));
  const asked = new Set(["/icon.svg"]);
  page.on("request", (request) => asked.add(new URL(request.url()).pathname));
  const opened = server.open();
  await expect(page.locator("#wire-list")).toBeAttached();
  // The scripts have not run yet. The first test checks that the document names everything they load.
  await expect.poll(async () => (await namedPaths(page)).filter((path) => !asked.has(path))).toEqual([]);
  goOn();
  await opened;
});

test("signs in by the address while its modules load", async ({ page, server }) => {
  let goOn;
  const released = new Promise((resolve) => (goOn = resolve));
  await page.route("**/main.js", (route) => released.then(() => route.continue()));
  const signedIn = page.waitForResponse("**/_callerid/sessions");
  const opened = server.open();
  expect((await signedIn).status()).toBe(200);
  goOn();
  await opened;
});
