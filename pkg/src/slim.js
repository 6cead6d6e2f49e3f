/**
 * `callerid`, given its .wasm by the caller: call {@link init} once before anything else. It shares its state with every
 * other entry of the package.
 *
 * @module callerid/slim
 */

/** @typedef {import("./platform.js").WasmSource} WasmSource */

export * from "./api.js";
export { init } from "./wasm.js";
