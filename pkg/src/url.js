/**
 * `callerid`, with its two .wasm files separate: next to the modules, or where a bundler put them. Call {@link init} once
 * before anything else.
 *
 * @module callerid/url
 */

import { file } from "./file.js";
import { file as phoneFile } from "./phone/file.js";

/** @import { WasmSource } from "./platform.js" */

export * from "./api.js";

const CLIENT = /* @__PURE__ */ new URL("./callerid.wasm", import.meta.url);
const PHONE = /* @__PURE__ */ new URL("./phone/callerid.wasm", import.meta.url);

/**
 * Loads the two .wasm files. Does nothing for one that is already loaded.
 *
 * @param {object} [sources]
 * @param {WasmSource | Promise<WasmSource>} [sources.client]
 * @param {WasmSource | Promise<WasmSource>} [sources.phone]
 */
export async function init({ client = CLIENT, phone = PHONE } = {}) {
  await Promise.all([file.init(client), phoneFile.init(phone)]);
}
