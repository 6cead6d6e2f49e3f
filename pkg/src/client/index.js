/**
 * Everything but the mock, in half of the bytes: for what runs in production. Its classes are its own: an error of
 * `callerid/client` is not an instance of `callerid`'s class of that name. A client of it talks to a `MockApi` as to any
 * other server.
 *
 * @module callerid/client
 */

import { carried } from "../carried.js";
import { provide } from "../wasm.js";

provide(carried);

export * from "../api-client.js";
