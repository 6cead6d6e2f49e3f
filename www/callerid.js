// The package `callerid`, from where it lies beside the page: the one place that names it.

import { init } from "./callerid/url.js";

await init(new URL("callerid/callerid.wasm", document.baseURI));

export * from "./callerid/url.js";
