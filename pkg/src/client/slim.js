/**
 * `callerid/client`, with the .wasm provided by the caller: call {@link init} once before anything else.
 *
 * @module callerid/client/slim
 */

/** @typedef {import("../platform.js").WasmSource} WasmSource */

export * from "../api-client.js";
export { init } from "../wasm.js";
