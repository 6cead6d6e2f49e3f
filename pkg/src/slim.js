// The entry that is given the .wasm.

export * from "./api.js";
export { init } from "./wasm.js";
