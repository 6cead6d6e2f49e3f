// The entry for hosts that import a .wasm as a module and cannot compile one from bytes.

// @ts-ignore: these hosts provide its type.
import module from "./callerid.wasm";
import { file } from "./file.js";

file.provide(() => module);

export * from "./api.js";
