/**
 * Twilio's OutgoingCallerIds API, versions 2008-08-01 and 2010-04-01: phone number and name validation that matches the
 * server's exactly, a typed client, and the whole API as an in-process `fetch`.
 *
 * The package is the server's own core, compiled to WebAssembly. `callerid` contains it inlined and loads it at first
 * use; `callerid/slim` and `callerid/url` are the same module with an explicit `init`.
 *
 * @module callerid
 */

import { carried } from "./carried.js";
import { provide } from "./wasm.js";

provide(carried);

export * from "./api.js";
