/**
 * `callerid/phone`, with the .wasm provided by the caller: call {@link init} once before anything else.
 *
 * @module callerid/phone/slim
 */

/** @typedef {import("../platform.js").WasmSource} WasmSource */

export * from "../api-phone.js";
export { init } from "../wasm.js";
