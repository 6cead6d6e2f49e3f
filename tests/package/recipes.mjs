// Extracts the recipes from the installed package's README and runs them unchanged.

import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterwards, answered, bin, freePort, here, inBrowser, inWorkerd, installed, node24, run, served, servedMock, vitest, whileRunning } from "./harness.mjs";

const folder = join(here, "recipes");

/** The file for each recipe, by its heading. Every code block in the README needs one. */
const PLACES = {
  callerid: "first.mjs",
  "Vite and webpack": "vite/main.js",
  Next: "../hosts/next/app/recipe.js",
  "A proxy that keeps the token off the page": "proxy/main.js",
  "Vite's proxy": "proxy/vite.config.js",
  "Next's route handler": "../hosts/next/app/api/[...path]/route.js",
  Express: "express.mjs",
  "A React hook for a validation": "../hosts/form/src/use-validation.ts",
  Playwright: "playwright.mjs",
  "Node tests, with MSW": "msw.test.mjs",
  Vitest: "vitest.test.mjs",
  Jest: "jest.test.mjs",
  "Test control": "test-control.test.mjs",
  "A server for tests": "server.test.mjs",
  "Cloudflare Workers": "worker.js",
  "A strict Content-Security-Policy": "policy.txt",
  "A page without a bundler": "page.html",
};

const NATIONAL = "(415) 867-5309";

/** Writes the README's recipes to files. */
export async function prepareRecipes() {
  const readme = await readFile(join(installed, "README.md"), "utf8");
  await rm(folder, { recursive: true, force: true });
  const found = [];
  let heading;
  for (const [, title, language, code] of readme.matchAll(/^#+ (.*)$|^```(\w+)\n([^]*?)^```$/gm)) {
    if (title) heading = title;
    else if (language !== "sh") {
      found.push(heading);
      const place = join(folder, PLACES[heading] ?? assert.fail(`the README's code under “${heading}” has no place here`));
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, code);
    }
  }
  assert.deepEqual(found.sort(), Object.keys(PLACES).sort(), "the README's recipes");
}

export const recipes = {
  hosts: {
    "README: first lines": async () => {
      const { stdout } = await run(process.execPath, ["recipes/first.mjs"]);
      assert.equal(stdout, "4158675309 Bob\n");
    },
    "README: Vite": async () => {
      const dist = await build("recipe", "vite/main.js");
      await served(dist, (origin) => inBrowser(`${origin}/index.html`, { title: NATIONAL }));
    },
    "README: MSW": async () => {
      const { stdout } = await run(node24, ["--test", "recipes/msw.test.mjs"]);
      assert.match(stdout, /pass 1\n/);
    },
    "README: Vitest": async () => {
      const { stdout } = await run(node24, [vitest, "run", "--root", folder, "vitest.test.mjs"]);
      assert.match(stdout, /Tests +2 passed \(2\)/);
    },
    "README: Jest": async () => {
      const jest = join(here, "node_modules/jest/bin/jest.js");
      const { stderr } = await run(process.execPath, ["--experimental-vm-modules", jest, "--rootDir", folder, "jest.test.mjs"]);
      assert.match(stderr, /Tests: +2 passed, 2 total/);
    },
    "README: test control": async () => {
      const { stdout } = await run(node24, ["--test", "recipes/test-control.test.mjs"]);
      assert.match(stdout, /pass 2\n/);
    },
    "README: server for tests": async () => {
      const { stdout } = await run(node24, ["--test", "recipes/server.test.mjs"]);
      assert.match(stdout, /pass 1\n/);
    },
    "README: Workers": () =>
      inWorkerd(join(folder, "worker.js"), async (address) => {
        const right = await answered(`${address}?number=${encodeURIComponent("415-867-5309")}`);
        assert.deepEqual([right.status, await right.json()], [200, { e164: "+14158675309" }]);
        const wrong = await answered(`${address}?number=555`);
        assert.deepEqual([wrong.status, (await wrong.json()).reason], [400, "too-short"]);
      }),
    "README: policy": async () => {
      const [, policy] = /^Content-Security-Policy: (.*)\n$/.exec(await readFile(join(folder, "policy.txt"), "utf8"));
      const opens = (dist, policy) =>
        served(dist, (origin) => inBrowser(`${origin}/index.html`, { title: NATIONAL, patience: 2_000 }), { "content-security-policy": policy });
      const [fetched, inlined] = [await build("recipe", "vite/main.js"), await build("inlined", "inlined.js", INLINED)];
      const unfetched = policy.replace("; connect-src 'self'", "");
      await opens(fetched, policy);
      await opens(inlined, unfetched);
      // Every part of the policy is necessary.
      await assert.rejects(opens(fetched, unfetched), /Content Security Policy/);
      await assert.rejects(opens(inlined, unfetched.replace(" 'wasm-unsafe-eval'", "")), /Content Security Policy/);
    },
    "README: Vite's proxy": async () => {
      const { createServer } = await import("vite");
      const { MockApi } = await import("callerid/mock");
      const mock = new MockApi({ seed: [{ phoneNumber: "4158675309" }] });
      const root = join(folder, "proxy");
      await writeFile(join(root, "index.html"), `<!doctype html><html data-account-sid="${mock.accountSid}"><title></title><script type="module" src="/main.js"></script></html>`);
      await servedMock(mock, async () => {
        const configFile = join(root, "vite.config.js");
        const server = await createServer({ root, configFile, logLevel: "error", optimizeDeps: { force: true }, server: { port: 0, host: "127.0.0.1", fs: { allow: [here] } } });
        await server.listen();
        try {
          await inBrowser(`http://127.0.0.1:${server.httpServer.address().port}/`, { title: NATIONAL });
        } finally {
          await afterwards(server.close());
        }
      });
    },
    "README: Express": async () => {
      const { MockApi } = await import("callerid/mock");
      const mock = new MockApi({ validationCode: "012345" });
      const port = await freePort();
      await servedMock(mock, () =>
        whileRunning(node24, ["recipes/express.mjs"], () => validatesOverProxy(mock, `http://127.0.0.1:${port}/api`), { PORT: String(port) }),
      );
    },
    "README: no bundler": () => served(here, (origin) => inBrowser(`${origin}/recipes/page.html`, { title: NATIONAL })),
  },
  /** Next's route handler, in that host, which runs behind `address`. */
  nextProxy: (mock, address) => validatesOverProxy(mock, `${address}api`),
  /** The recipe for Next, on a page of that host. */
  next: async (page) => {
    const output = page.locator("output");
    await page.getByLabel("Phone number").fill("415-867-530");
    await output.filter({ hasText: "That number has 9 digits." }).waitFor();
    await page.getByLabel("Phone number").fill("415-867-5309");
    await output.filter({ hasText: "+14158675309" }).waitFor();
  },
};

const INLINED = `import { PhoneNumber } from "callerid";\ndocument.title = PhoneNumber.parse("415-867-5309").national;\n`;

/** Builds a page with a script, using Vite. Writes `code` to the script first, if given. */
async function build(name, script, code) {
  const { build } = await import("vite");
  const root = join(folder, name);
  await mkdir(root, { recursive: true });
  if (code) await writeFile(join(folder, script), code);
  await writeFile(join(root, "index.html"), `<!doctype html><title></title><script type="module" src="../${script}"></script>`);
  await build({ root, logLevel: "error", build: { outDir: "dist", emptyOutDir: true } });
  return join(root, "dist");
}

/** Validates a number over a proxy that adds the credentials, renames it and deletes it. */
async function validatesOverProxy(mock, baseUrl) {
  const { CallerIdClient } = await import("callerid");
  await answered(baseUrl);
  const client = new CallerIdClient({ accountSid: mock.accountSid, baseUrl, apiVersion: "2010-04-01" });
  const validated = client.waitUntilValidated(await client.create({ phoneNumber: "415-867-5309" }), { pollInterval: 20 });
  (await mock.phone("415-867-5309").rings()).answer().press("012345");
  const { sid } = await validated;
  assert.equal((await client.update(sid, { friendlyName: "Zoë" })).friendlyName, "Zoë");
  await client.delete(sid);
  await assert.rejects(client.fetch(sid), { name: "RestException", status: 404 });
  // Nothing else of the account's.
  assert.equal((await fetch(`${baseUrl}/2010-04-01/Accounts/${mock.accountSid}/Calls.json`)).status, 404);
}
