// Installs the packed package and runs it in all hosts: `node run.mjs <tarball> [host …]`.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { contract } from "./contract.mjs";
import { form } from "./form.mjs";
import { afterwards, answered, bin, freePort, here, inBrowser, inTemporaryFolder, inWorkerd, installed, node24, run, says, served, servedMock, vitest, whileRunning } from "./harness.mjs";
import { mockIsServer } from "./mock-is-server.mjs";
import { prepareRecipes, recipes } from "./recipes.mjs";

const [tarball, ...wanted] = process.argv.slice(2);

/** The maximum compressed size of each .wasm in bytes (gzip -9). */
const SIZES = { "callerid.wasm": 74_000, "phone/callerid.wasm": 28_500, "mock/callerid.wasm": 320_000 };

const hosts = {
  sizes: async () => {
    for (const [file, most] of Object.entries(SIZES)) {
      const bytes = gzipSync(await readFile(join(installed, "dist", file)), { level: 9 }).length;
      if (bytes > most) throw new Error(`${file} takes ${bytes} bytes, gz -9: at most ${most}`);
      console.log(`        ${file}: ${bytes} bytes, gz -9`);
    }
  },
  "tree shaking": async () => {
    const { build } = await import("esbuild");
    const contents = 'import { PhoneNumber } from "callerid/slim"; console.log(PhoneNumber.parse("4158675309"));';
    const { outputFiles } = await build({ stdin: { contents, resolveDir: here }, bundle: true, format: "esm", write: false });
    for (const name of ["MockApi", "CallerIdClient", "CallControl", "FriendlyName"]) {
      // Look for declarations, because the glue contains some of the names.
      if (new RegExp(`^(var|class) ${name}\\b`, "m").test(outputFiles[0].text)) throw new Error(`a bundle keeps ${name}, which is not used`);
    }
  },
  "entries share their modules": async () => {
    const { build } = await import("esbuild");
    /** The size of a page's script that imports these entries, compressed with brotli. */
    const size = async (...entries) => {
      const contents = entries.map((entry, index) => `import { PhoneNumber as p${index} } from "${entry}"; console.log(p${index});`).join("\n");
      const { outputFiles } = await build({ stdin: { contents, resolveDir: here }, bundle: true, minify: true, format: "esm", write: false });
      return brotliCompressSync(outputFiles[0].contents).length;
    };
    const [alone, both] = [await size("callerid"), await size("callerid", "callerid/phone")];
    console.log(`        callerid: ${alone} bytes, brotli; with callerid/phone: ${both}`);
    if (both > alone + 500) throw new Error("callerid/phone is in a bundle with callerid twice");
  },
  publint: () => run(bin("publint"), ["--strict", installed]),
  attw: async () => {
    // attw deletes its tarball, so use a copy.
    const wasm = ["--exclude-entrypoints", "client.wasm", "mock.wasm", "phone.wasm"];
    await inTemporaryFolder(async (folder) => {
      await cp(tarball, join(folder, "callerid.tgz"));
      await run(bin("attw"), [join(folder, "callerid.tgz"), "--profile", "esm-only", ...wasm]);
    });
  },
  types: async () => {
    await run(bin("tsc"), ["--project", "types/tsconfig.json"]);
    await run(bin("tsc"), ["--project", "types/tsconfig.dom.json"]);
  },
  node: () => inNode(process.execPath),
  "node 24": () => inNode(node24),
  api: () => run(process.execPath, ["--expose-gc", "--test", "api.test.mjs"]),
  scenarios: () => run(process.execPath, ["--test", "scenarios.test.mjs"]),
  startServer: () => run(process.execPath, ["--test", "testing.test.mjs"]),
  "status callbacks": () => run(process.execPath, ["--test", "callbacks.test.mjs"]),
  "test control": () => run(process.execPath, ["--test", "test-control.test.mjs"]),
  client: () => run(process.execPath, ["--test", "client.test.mjs"]),
  typing: () => run(process.execPath, ["--test", "typing.test.mjs"]),
  values: () => run(process.execPath, ["--test", "values.test.mjs"]),
  "values in Vitest": () => run(node24, [vitest, "run", "--root", join(here, "hosts/vitest")]),
  contract,
  "mock is server": mockIsServer,
  "Twilio's SDK over MSW": () => run(node24, ["--test", "hosts/twilio.test.mjs"]),
  deno: async () => {
    const deno = ["run", "--quiet", "--node-modules-dir=manual", "--allow-read"];
    await says(bin("deno"), [...deno, "hosts/import.mjs"]);
    await says(bin("deno"), [...deno, "--allow-env", "--allow-net", "--allow-run", "--allow-write", "hosts/testing.mjs"]);
  },
  bun: async () => {
    await says(bin("bun"), ["run", "hosts/import.mjs"]);
    await says(bin("bun"), ["run", "hosts/testing.mjs"]);
  },
  workerd: () =>
    inWorkerd(join(here, "hosts/workerd/worker.js"), async (address) => {
      const text = await (await answered(address)).text();
      if (text !== "callerid works") throw new Error(`workerd says: ${text}`);
    }),
  page: () => served(here, (origin) => inBrowser(`${origin}/hosts/page/index.html`)),
  "vite dev": async () => {
    const { createServer } = await import("vite");
    const server = await createServer({ root: join(here, "hosts/vite"), logLevel: "error", optimizeDeps: { force: true }, server: { port: 0, host: "127.0.0.1", fs: { allow: [here] } } });
    await server.listen();
    try {
      await inBrowser(`http://127.0.0.1:${server.httpServer.address().port}/`);
    } finally {
      await afterwards(server.close());
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
    const { MockApi } = await import("callerid/mock");
    const mock = new MockApi({ validationCode: "012345" });
    const folder = join(here, "hosts/next");
    await run(bin("next"), ["build", folder]);
    const port = String(await freePort());
    await servedMock(mock, () =>
      whileRunning(bin("next"), ["start", folder, "--port", port, "--hostname", "127.0.0.1"], async () => {
        const address = `http://127.0.0.1:${port}/`;
        const html = await (await answered(address)).text();
        if (!html.includes("callerid works")) throw new Error(`the server says: ${html}`);
        await inBrowser(address, { use: recipes.next });
        await recipes.nextProxy(mock, address);
      }),
    );
  },
  "form, React with Vite and TypeScript": form,
  ...recipes.hosts,
};

await install();
await prepareRecipes();
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

/** Unpacks the tarball where npm would. This is enough, because the package has no dependencies. */
async function install() {
  await rm(installed, { recursive: true, force: true });
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", installed, "--strip-components", "1"]);
}

async function inNode(node) {
  for (const script of ["import.mjs", "client.mjs", "require.cjs", "slim.mjs", "url.mjs"]) await says(node, [join("hosts", script)]);
}
