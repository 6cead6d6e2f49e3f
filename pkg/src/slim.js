/**
 * `callerid`, with the .wasm provided by the caller: call {@link init} once before anything else. It shares its state with
 * `callerid` and `callerid/url`.
 *
 * @module callerid/slim
 */

/** @typedef {import("./platform.js").WasmSource} WasmSource */

export * from "./api.js";
export { init } from "./wasm.js";
