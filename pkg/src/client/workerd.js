// @ts-ignore: hosts that import a .wasm as a module provide its type.
import phoneModule from "../phone/callerid.wasm";
// @ts-ignore
import module from "./callerid.wasm";
import { file as phoneFile } from "../phone/file.js";
import { file } from "./file.js";

phoneFile.provide(() => phoneModule);
file.provide(() => module);

export * from "../api-client.js";
