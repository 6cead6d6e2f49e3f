// The entry for hosts that import a .wasm as a module, and compile none from bytes.

// @ts-ignore: they say what it is.
import module from "./callerid.wasm";
import { provide } from "./wasm.js";

provide(() => module);

export * from "./api.js";
