// The package `callerid`, in its folder next to the page. All other modules import it from here. These are the modules that the
// page needs: the package's entry `url.js` loads seven more files that only re-export.

import { file } from "./callerid/file.js";
import { file as phoneFile } from "./callerid/phone/file.js";

/** Resolves when the core is loaded. Do not use the exports before. */
export const loaded = Promise.all([file.init(host.wasm("callerid/callerid.wasm")), phoneFile.init(host.wasm("callerid/phone/callerid.wasm"))]);

export * from "./callerid/client.js";
export * from "./callerid/control.js";
export * from "./callerid/errors.js";
export * from "./callerid/friendly-name.js";
export * from "./callerid/phone-number.js";

/** Loads the mock, which most visitors of a server do without. Resolves to `MockApi`. */
export async function loadMock() {
  const [{ MockApi }, { file }] = await Promise.all([import("./callerid/mock/mock-api.js"), import("./callerid/mock/file.js")]);
  await file.init(host.wasm("callerid/mock/callerid.wasm"));
  return MockApi;
}
