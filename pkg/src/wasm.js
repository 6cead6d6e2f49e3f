// Loads the .wasm: at first use if an entry contains it, otherwise with `init`.

import * as glue from "./glue.js";

/** @import { WasmSource } from "./platform.js" */

/**
 * Returns the bytes or the module; set by an entry that contains them.
 *
 * @type {(() => glue.SyncInitInput) | undefined}
 */
let provider;
let isLoaded = false;
/** @type {Promise<void> | undefined} */
let loading;

/**
 * Sets the provider of the .wasm, which is called when it is first needed.
 *
 * @internal
 * @param {() => glue.SyncInitInput} provide
 */
export function provide(provide) {
  provider ??= provide;
}

/** @param {glue.SyncInitInput} module */
function start(module) {
  if (!isLoaded) glue.initSync({ module });
  isLoaded = true;
  provider = undefined;
}

/**
 * Returns the core's exports. Loads the .wasm first if necessary.
 *
 * @internal
 */
export function core() {
  if (!isLoaded) {
    if (provider === undefined) throw new Error("callerid is not loaded: `await init(…)` first, as callerid/slim says");
    start(provider());
  }
  return glue;
}

/**
 * The core and the wire use UTF-8.
 *
 * @internal
 */
export const encoder = new TextEncoder();

/**
 * Converts an object for the core: every value is a string; `undefined` values are left out.
 *
 * @internal
 * @param {Record<string, unknown>} object
 */
export function texts(object) {
  /** @type {Record<string, string>} */
  const texts = {};
  for (const [name, value] of Object.entries(object)) if (value !== undefined) texts[name] = String(value);
  return texts;
}

/**
 * Loads the package's .wasm. Does nothing if it is already loaded.
 *
 * @param {WasmSource | Promise<WasmSource>} source
 * @returns {Promise<void>}
 */
export function init(source) {
  if (isLoaded) return Promise.resolve();
  loading ??= load(source).then(start, (error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** @param {WasmSource | Promise<WasmSource>} given */
async function load(given) {
  const source = await given;
  if (typeof source !== "string" && !(source instanceof URL)) return compile(source);
  const url = new URL(source, globalThis.location?.href);
  // Node's fetch does not support file URLs.
  const fs = url.protocol === "file:" ? globalThis.process?.getBuiltinModule?.("node:fs") : undefined;
  return compile(fs ? fs.readFileSync(url) : await fetch(url));
}

/** @param {Exclude<WasmSource, string | URL>} source */
async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  // Checked first, because Node loads its whole fetch implementation at the first access to Response.
  const isBytes = source instanceof ArrayBuffer || ArrayBuffer.isView(source);
  if (isBytes || typeof Response !== "function" || !(source instanceof Response)) {
    return WebAssembly.compile(/** @type {BufferSource} */ (source));
  }
  if (!source.ok) throw new Error(`callerid: ${source.url} answered ${source.status}`);
  // Compiles while downloading, which requires the right content type.
  if (source.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(source);
  return WebAssembly.compile(await source.arrayBuffer());
}
