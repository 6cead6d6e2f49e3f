// The entry for hosts that import a .wasm as a module and cannot compile one from bytes.

// @ts-ignore: these hosts provide its type.
import module from "./callerid.wasm";
// @ts-ignore
import phoneModule from "./phone/callerid.wasm";
import { file } from "./file.js";
import { file as phoneFile } from "./phone/file.js";

phoneFile.provide(() => phoneModule);
file.provide(() => module);

export * from "./api.js";
