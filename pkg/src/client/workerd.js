// @ts-ignore: hosts that import a .wasm as a module provide its type.
import module from "./callerid.wasm";
import { provide } from "../wasm.js";

provide(() => module);

export * from "../api-client.js";
