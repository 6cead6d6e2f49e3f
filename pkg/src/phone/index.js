/**
 * Phone numbers alone, in a third of the bytes. Its classes are its own: a number of `callerid/phone` is not an
 * instance of `callerid`'s `PhoneNumber`, though it is taken wherever a number's text is.
 *
 * @module callerid/phone
 */

import { carried } from "../carried.js";
import { provide } from "../wasm.js";

provide(carried);

export * from "../api-phone.js";
