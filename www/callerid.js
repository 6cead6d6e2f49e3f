// The package `callerid`, from where it lies beside the page: the one place that names it.

import { init } from "./callerid/url.js";

/** Resolves when the core is there: what is exported here is of use from then on. */
export const loaded = init(new URL("callerid/callerid.wasm", document.baseURI));

export * from "./callerid/url.js";
