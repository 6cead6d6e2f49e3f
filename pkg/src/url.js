// The entry that finds the .wasm beside itself, or where a bundler has put it.

import { init as load } from "./wasm.js";

export * from "./api.js";

export function init(source = new URL("./callerid.wasm", import.meta.url)) {
  return load(source);
}
