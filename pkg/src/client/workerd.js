// @ts-ignore: hosts that import a .wasm as a module say what it is.
import module from "./callerid.wasm";
import { provide } from "../wasm.js";

provide(() => module);

export * from "../api-client.js";
