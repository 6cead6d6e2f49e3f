// The package `callerid`, in its folder next to the page. All other modules import it from here. These are the modules that the
// page needs: the package's entry `url.js` loads seven more files that only re-export.

import { file } from "./callerid/file.js";

/** Resolves when the core is loaded. Do not use the exports before. */
export const loaded = file.init(new URL("callerid/callerid.wasm", document.baseURI));

export * from "./callerid/client.js";
export * from "./callerid/control.js";
export * from "./callerid/errors.js";
export * from "./callerid/friendly-name.js";
export * from "./callerid/mock.js";
export * from "./callerid/phone-number.js";
