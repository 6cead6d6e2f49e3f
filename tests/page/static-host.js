// A minimal static host: serves the page's files, with the stylesheets joined, and the package's files under `callerid/`.

import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
const PACKAGE = process.env.CALLERID_DIST ?? join(ROOT, "pkg/dist");
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** The files in `styles/`, in the order of their names, as `cargo xtask page` joins them. */
function styles() {
  const folder = join(ROOT, "www/styles");
  return readdirSync(folder).sort().map((name) => readFileSync(join(folder, name), "utf8")).join("");
}

/** Serves the page on a free loopback port. Its `url` ends with the folder it is served from. */
export async function serveStatic() {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const inFolder = path.startsWith("/folder/") ? path.slice("/folder".length) : null;
    if (inFolder === "/styles.css") {
      response.writeHead(200, { "content-type": TYPES[".css"] }).end(styles());
      return;
    }
    const file = inFolder === null ? "" : inFolder.startsWith("/callerid/")
      ? join(PACKAGE, inFolder.slice("/callerid".length))
      : join(ROOT, "www", inFolder === "/" ? "index.html" : inFolder);
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/folder/`, close: () => server.close() };
}

if (process.argv[1] === new URL(import.meta.url).pathname) console.log((await serveStatic()).url);
