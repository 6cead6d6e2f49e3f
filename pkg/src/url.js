/**
 * `callerid`, with the .wasm in a separate file: next to the module, or where a bundler put it. Call {@link init} once
 * before anything else. It shares its state with `callerid` and `callerid/slim`.
 *
 * @module callerid/url
 */

import { init as load } from "./wasm.js";

/** @typedef {import("./platform.js").WasmSource} WasmSource */

export * from "./api.js";

/**
 * Loads the .wasm. Does nothing if it is already loaded.
 *
 * @param {WasmSource | Promise<WasmSource>} [source]
 */
export function init(source = new URL("./callerid.wasm", import.meta.url)) {
  return load(source);
}
