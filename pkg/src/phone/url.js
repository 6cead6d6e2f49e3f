/**
 * `callerid/phone`, with the .wasm in a separate file: next to the module, or where a bundler put it. Call {@link init} once
 * before anything else.
 *
 * @module callerid/phone/url
 */

import { file } from "./file.js";

/** @import { WasmSource } from "../platform.js" */

export * from "./api.js";

/**
 * Loads the .wasm. Does nothing if it is already loaded.
 *
 * @param {WasmSource | Promise<WasmSource>} [source]
 */
export function init(source = new URL("./callerid.wasm", import.meta.url)) {
  return file.init(source);
}
