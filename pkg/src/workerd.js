// The entry for hosts that import a .wasm as a module, and compile none from bytes.

import module from "./callerid.wasm";
import { provide } from "./wasm.js";

provide(() => module);

export * from "./api.js";
