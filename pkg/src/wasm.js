// Loads the .wasm: at its first use if an entry carries it, otherwise by `init`.

import * as glue from "./glue.js";

/** @import { WasmSource } from "./platform.js" */

/**
 * Gives the bytes or the module; set by the entry that carries them.
 *
 * @type {(() => glue.SyncInitInput) | undefined}
 */
let provider;
let isLoaded = false;
/** @type {Promise<void> | undefined} */
let loading;

/**
 * Sets where to get the .wasm when it is first needed.
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
 * The core's exports, loaded if they are not yet.
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
 * Texts are UTF-8 to the core, and on the wire.
 *
 * @internal
 */
export const encoder = new TextEncoder();

/**
 * An object as the core takes it: every member a text or `undefined`.
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
 * Loads the package's .wasm. Once it is loaded there is nothing to do.
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
  // Node's fetch reads no files.
  const fs = url.protocol === "file:" ? globalThis.process?.getBuiltinModule?.("node:fs") : undefined;
  return compile(fs ? fs.readFileSync(url) : await fetch(url));
}

/** @param {Exclude<WasmSource, string | URL>} source */
async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  // Node loads all of its fetch where Response is first named: not for who brings the bytes.
  const isBytes = source instanceof ArrayBuffer || ArrayBuffer.isView(source);
  if (isBytes || typeof Response !== "function" || !(source instanceof Response)) {
    return WebAssembly.compile(/** @type {BufferSource} */ (source));
  }
  if (!source.ok) throw new Error(`callerid: ${source.url} answered ${source.status}`);
  // Compiled while it arrives, if the host gives its type.
  if (source.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(source);
  return WebAssembly.compile(await source.arrayBuffer());
}
