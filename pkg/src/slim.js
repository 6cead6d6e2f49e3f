/**
 * `callerid`, with its two .wasm files provided by the caller: call {@link init} once before anything else.
 *
 * @module callerid/slim
 */

import { file } from "./file.js";
import { file as phoneFile } from "./phone/file.js";

/** @import { WasmSource } from "./platform.js" */

export * from "./api.js";

/**
 * Loads the two .wasm files. Does nothing for one that is already loaded.
 *
 * @param {object} sources
 * @param {WasmSource | Promise<WasmSource>} sources.client `callerid/client.wasm`
 * @param {WasmSource | Promise<WasmSource>} sources.phone `callerid/phone.wasm`
 */
export async function init({ client, phone }) {
  await Promise.all([file.init(client), phoneFile.init(phone)]);
}
