/**
 * Outgoing caller IDs, as Twilio's REST API of 2008-08-01 and of 2010-04-01 defines them: phone number and name
 * rules that agree with the server to the byte, a typed client, and the whole API as an in-process `fetch`.
 *
 * The same core, compiled to WebAssembly, answers here and in the server. `callerid` carries it inlined and loads it
 * at its first use; `callerid/slim` and `callerid/url` are the same module with an explicit `init`.
 *
 * @module callerid
 */

import { carried } from "./carried.js";
import { provide } from "./wasm.js";

provide(carried);

export * from "./api.js";
