/**
 * Everything except the mock, in half the size: for production. It has its own classes: an error of `callerid/client` is
 * not an instance of the class of the same name in `callerid`. Its client works with a `MockApi` as with any other server.
 *
 * @module callerid/client
 */

import { carried } from "../carried.js";
import { provide } from "../wasm.js";

provide(carried);

export * from "../api-client.js";
