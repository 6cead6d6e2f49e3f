// Re-exports the package `callerid` from its folder next to the page. All other modules import it from here.

import { init } from "./callerid/url.js";

/** Resolves when the core is loaded. Do not use the exports before. */
export const loaded = init(new URL("callerid/callerid.wasm", document.baseURI));

export * from "./callerid/url.js";
