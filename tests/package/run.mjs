// The packed package, installed and run in every host: `node run.mjs <tarball> [host …]`.

import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const bin = (name) => join(here, "node_modules/.bin", name);
const installed = join(here, "node_modules/callerid");
const [tarball, ...wanted] = process.argv.slice(2);
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", DENO_NO_UPDATE_CHECK: "1" };

/** The most bytes that a .wasm may take as it is sent, gz -9. What it should come to stands in the issue: 45,000 and 15,000. */
const SIZES = { "callerid.wasm": 125_000, "phone/callerid.wasm": 24_000 };

const hosts = {
  sizes: async () => {
    for (const [file, most] of Object.entries(SIZES)) {
      const bytes = gzipSync(await readFile(join(installed, "dist", file)), { level: 9 }).length;
      if (bytes > most) throw new Error(`${file} takes ${bytes} bytes, gz -9: at most ${most}`);
      console.log(`        ${file}: ${bytes} bytes, gz -9`);
    }
  },
  publint: () => run(bin("publint"), ["--strict", installed]),
  attw: async () => {
    // It deletes the tarball that it is given.
    const folder = await mkdtemp(join(tmpdir(), "callerid-attw-"));
    await cp(tarball, join(folder, "callerid.tgz"));
    const wasm = ["--exclude-entrypoints", "callerid.wasm", "phone.wasm"];
    await run(bin("attw"), [join(folder, "callerid.tgz"), "--profile", "esm-only", ...wasm]);
    await rm(folder, { recursive: true });
  },
  types: async () => {
    await run(bin("tsc"), ["--project", "types/tsconfig.json"]);
    await run(bin("tsc"), ["--project", "types/tsconfig.dom.json"]);
  },
  node: () => inNode(process.execPath),
  "node 24": () => inNode(join(here, "node_modules/node/bin/node")),
  api: () => run(process.execPath, ["--expose-gc", "--test", "api.test.mjs"]),
  deno: () => says(bin("deno"), ["run", "--quiet", "--node-modules-dir=manual", "--allow-read", "hosts/import.mjs"]),
  bun: () => says(bin("bun"), ["run", "hosts/import.mjs"]),
  workerd,
  page: () => served(here, (origin) => inBrowser(`${origin}/hosts/page/index.html`)),
  "vite dev": async () => {
    const { createServer } = await import("vite");
    const server = await createServer({ root: join(here, "hosts/vite"), logLevel: "error", server: { port: 0, host: "127.0.0.1", fs: { allow: [here] } } });
    await server.listen();
    try {
      await inBrowser(`http://127.0.0.1:${server.httpServer.address().port}/`);
    } finally {
      await server.close();
    }
  },
  "vite build": async () => {
    const { build } = await import("vite");
    const outDir = join(here, "hosts/vite/dist");
    await build({ root: join(here, "hosts/vite"), logLevel: "error", build: { outDir, emptyOutDir: true } });
    await served(outDir, (origin) => inBrowser(`${origin}/index.html`));
  },
  webpack: async () => {
    const webpack = createRequire(import.meta.url)("webpack");
    const path = join(here, "hosts/webpack/dist");
    await rm(path, { recursive: true, force: true });
    const compiler = webpack({ mode: "production", context: here, entry: "./hosts/webpack/main.js", output: { path, filename: "main.js" }, performance: false });
    const stats = await promisify(compiler.run.bind(compiler))();
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString("errors-warnings"));
    await writeFile(join(path, "index.html"), '<!doctype html><title>callerid</title><script src="main.js"></script>');
    await served(path, (origin) => inBrowser(`${origin}/index.html`));
  },
  next: async () => {
    const folder = join(here, "hosts/next");
    await run(bin("next"), ["build", folder]);
    const port = String(20000 + (process.pid % 10000));
    await whileRunning(bin("next"), ["start", folder, "--port", port, "--hostname", "127.0.0.1"], async () => {
      const address = `http://127.0.0.1:${port}/`;
      const html = await (await answered(address)).text();
      if (!html.includes("callerid works")) throw new Error(`the server says: ${html}`);
      await inBrowser(address);
    });
  },
};

await install();
const started = Date.now();
let failed = 0;
for (const [name, host] of Object.entries(hosts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = Date.now();
  try {
    await host();
    console.log(`ok      ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n${error.stdout ?? ""}${error.stderr ?? ""}${error.stack ?? error}`);
  }
}
console.log(`${failed} failed, ${((Date.now() - started) / 1000).toFixed(0)} s`);
process.exit(failed === 0 ? 0 : 1);

/** Unpacks the tarball where npm would: the package depends on nothing. */
async function install() {
  await rm(installed, { recursive: true, force: true });
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", installed, "--strip-components", "1"]);
}

async function inNode(node) {
  for (const script of ["import.mjs", "require.cjs", "slim.mjs", "url.mjs"]) await says(node, [join("hosts", script)]);
}

function run(program, args) {
  return promisify(execFile)(program, args, { cwd: here, env: environment, maxBuffer: 1 << 26 });
}

async function says(program, args) {
  const { stdout, stderr } = await run(program, args);
  if (!stdout.includes("callerid works")) throw new Error(`${program} ${args.join(" ")} says: ${stdout}${stderr}`);
}

async function workerd() {
  const folder = await mkdtemp(join(tmpdir(), "callerid-workerd-"));
  const modules = [];
  const add = async (name, kind, file) => {
    const embedded = `module-${modules.length}`;
    await cp(file, join(folder, embedded));
    modules.push(`(name = "${name}", ${kind} = embed "${embedded}")`);
  };
  await add("worker.js", "esModule", join(here, "hosts/workerd/worker.js"));
  await add("check", "esModule", join(here, "check.js"));
  const { exports } = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  await add("callerid", "esModule", join(installed, exports["."].workerd));
  for (const file of await readdir(join(installed, "dist"))) {
    const kind = { ".js": "esModule", ".wasm": "wasm" }[extname(file)];
    if (kind) await add(file, kind, join(installed, "dist", file));
  }
  const port = 30000 + (process.pid % 10000);
  await writeFile(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [${modules.join(",\n")}], compatibilityDate = "2026-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);`,
  );
  await whileRunning(bin("workerd"), ["serve", join(folder, "config.capnp")], async () => {
    const text = await (await answered(`http://127.0.0.1:${port}/`)).text();
    if (text !== "callerid works") throw new Error(`workerd says: ${text}`);
  });
  await rm(folder, { recursive: true });
}

/** Runs a program for as long as `use` takes. */
async function whileRunning(program, args, use) {
  const child = spawn(program, args, { cwd: here, env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  try {
    await use();
  } catch (error) {
    throw new Error(`${error.message}\n${output}`, { cause: error });
  } finally {
    // It and what it has started.
    process.kill(-child.pid);
  }
}

/** The answer of a server that may not have started yet. */
async function answered(address) {
  for (let left = 300; ; left--) {
    try {
      return await fetch(address);
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Serves a folder for as long as `use` takes. */
async function served(folder, use) {
  const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      const body = await readFile(join(folder, pathname));
      response.writeHead(200, { "content-type": types[extname(pathname)] ?? "application/octet-stream" }).end(body);
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

/** Loads a page in a Chromium: `$CHROME`, the system's, or Playwright's. The page says how it went in its title. */
async function inBrowser(address) {
  const { chromium } = await import("playwright-core");
  const paths = [process.env.CHROME, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", chromium.executablePath()];
  const { existsSync } = await import("node:fs");
  const executablePath = paths.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("no Chromium is found: install one, or name it in $CHROME");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  try {
    const page = await browser.newPage();
    const messages = [];
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(String(error)));
    await page.goto(address);
    try {
      await page.waitForFunction(() => document.title.includes("callerid works"), undefined, { timeout: 60_000 });
    } catch {
      throw new Error(`the page says: ${await page.title()}\n${messages.join("\n")}`);
    }
  } finally {
    await browser.close();
  }
}
