/**
 * `callerid`, which finds its .wasm at an address: beside itself, or where a bundler put it. Call {@link init} once
 * before anything else. It shares its state with every other entry of the package.
 *
 * @module callerid/url
 */

import { init as load } from "./wasm.js";

/** @typedef {import("./platform.js").WasmSource} WasmSource */

export * from "./api.js";

/**
 * Loads the .wasm. Once it is loaded there is nothing to do.
 *
 * @param {WasmSource | Promise<WasmSource>} [source]
 */
export function init(source = new URL("./callerid.wasm", import.meta.url)) {
  return load(source);
}
