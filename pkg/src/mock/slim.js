/**
 * `callerid/mock`, with the .wasm provided by the caller: call {@link init} once before anything else.
 *
 * @module callerid/mock/slim
 */

import { file } from "./file.js";

/** @import { WasmSource } from "../platform.js" */

export * from "./api.js";

/**
 * Loads the .wasm. Does nothing if it is already loaded.
 *
 * @param {WasmSource | Promise<WasmSource>} source `callerid/mock.wasm`
 */
export function init(source) {
  return file.init(source);
}
