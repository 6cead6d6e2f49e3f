// Helpers to run the hosts: programs, a file server, Chromium, workerd.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { ARGUMENTS, findChromium } from "../page/browser.js";

export const here = dirname(fileURLToPath(import.meta.url));
/** The server's program. */
export const PROGRAM = process.env.CALLERID_PROGRAM ?? new URL("../../target/debug/callerid", import.meta.url).pathname;

/** Where the tarball is unpacked. */
export const installed = join(here, "node_modules/callerid");
/** The path of a program that `npm ci` has installed. */
export const bin = (name) => join(here, "node_modules/.bin", name);
/** The newer Node, which MSW and Vitest require. */
export const node24 = join(here, "node_modules/node/bin/node");
export const vitest = join(here, "node_modules/vitest/vitest.mjs");

export const environment = { ...process.env, CALLERID_PROGRAM: PROGRAM, NEXT_TELEMETRY_DISABLED: "1", DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

/** The output of a successful `check.js`. */
const WORKS = "callerid works";

/** Runs a program, which must succeed. */
export function run(program, args) {
  return promisify(execFile)(program, args, { cwd: here, env: environment, maxBuffer: 1 << 26 });
}

/** Runs a program, whose output must contain `what`. */
export async function says(program, args, what = WORKS) {
  const { stdout, stderr } = await run(program, args);
  if (!stdout.includes(what)) throw new Error(`${program} ${args.join(" ")} says: ${stdout}${stderr}`);
}

/** Runs a program while `use` runs. Fails if the program exits. Errors include the program's output. */
export async function whileRunning(program, args, use, variables = {}) {
  const child = spawn(program, args, { cwd: here, env: { ...environment, ...variables }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const ended = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => reject(new Error(`${program} ended by itself: ${signal ?? `exit ${code}`}`)));
  });
  try {
    await Promise.race([use(), ended]);
  } catch (error) {
    throw new Error(`${error.message}\n${output}`, { cause: error });
  } finally {
    ended.catch(() => {});
    try {
      // The program and its child processes.
      process.kill(-child.pid);
    } catch (error) {
      // ESRCH: they have all exited.
      if (error.code !== "ESRCH") console.error(error);
    }
  }
}

/** Finds a free port. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Creates a temporary folder while `use` runs. */
export async function inTemporaryFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), "callerid-"));
  try {
    return await use(folder);
  } finally {
    await afterwards(rm(folder, { recursive: true, force: true }));
  }
}

/** Waits for a cleanup. Only logs its error, so that it does not hide an earlier one. */
export function afterwards(tidied) {
  return tidied.catch((error) => console.error(error));
}

/** Sends a request to a server that may not have started yet. */
export async function answered(address) {
  for (let left = 300; ; left--) {
    try {
      return await fetch(address);
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Serves a folder while `use` runs. */
export async function served(folder, use, headers = {}) {
  const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      const body = await readFile(join(folder, pathname));
      response.writeHead(200, { ...headers, "content-type": types[extname(pathname)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Serves a mock while `use` runs, as the service behind a proxy. Its address and credentials are also in the recipes' variables. */
export async function servedMock(mock, use) {
  const server = createServer(async (request, response) => {
    const left = new AbortController();
    response.once("close", () => left.abort());
    const { method, headers } = request;
    const body = method === "POST" ? await text(request) : undefined;
    const answer = await mock.fetch(`http://localhost${request.url}`, { method, headers, body, signal: left.signal });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body) await pipeline(answer.body, response).catch(() => {});
    else response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  Object.assign(environment, { CALLERID_URL: url, ACCOUNT_SID: mock.accountSid, AUTH_TOKEN: mock.authToken });
  Object.assign(process.env, environment);
  try {
    await use(url);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const PATIENCE_MS = 60_000;

/** Opens a page in a Chromium (`$CHROME`, the system's, or Playwright's). Waits for its title to report success, then calls `use`. */
export async function inBrowser(address, { title = WORKS, patience = PATIENCE_MS, use = async () => {} } = {}) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: findChromium(), args: ARGUMENTS });
  try {
    const page = await browser.newPage();
    const messages = [];
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(String(error)));
    await page.goto(address);
    try {
      await page.waitForFunction((title) => document.title.includes(title), title, { timeout: patience });
    } catch {
      throw new Error(`the page says: ${await page.title()}\n${messages.join("\n")}`);
    }
    await use(page);
  } finally {
    await afterwards(browser.close());
  }
}

/** Bundles a worker as wrangler does, and runs it in workerd while `use` runs. */
export async function inWorkerd(entry, use) {
  const { build } = await import("esbuild");
  await inTemporaryFolder(async (folder) => {
    const conditions = ["workerd", "worker", "browser"];
    await build({ entryPoints: { worker: entry }, outdir: folder, bundle: true, format: "esm", conditions, loader: { ".wasm": "copy" }, logLevel: "silent" });
    const files = (await readdir(folder)).sort((file) => (file === "worker.js" ? -1 : 1));
    if (!files.some((file) => extname(file) === ".wasm")) throw new Error(`the bundle has no .wasm of its own: ${files}`);
    const modules = files.map((file) => `(name = "${file}", ${extname(file) === ".wasm" ? "wasm" : "esModule"} = embed "${file}")`);
    const port = await freePort();
    await writeFile(
      join(folder, "config.capnp"),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [${modules.join(", ")}], compatibilityDate = "2026-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);`,
    );
    await whileRunning(bin("workerd"), ["serve", join(folder, "config.capnp")], () => use(`http://127.0.0.1:${port}/`));
  });
}
