/**
 * Only phone numbers, in a third of the size. It has its own classes: a number of `callerid/phone` is not an instance of
 * `PhoneNumber` in `callerid`, but is accepted wherever a number's string is.
 *
 * @module callerid/phone
 */

import { carried } from "../carried.js";
import { provide } from "../wasm.js";

provide(carried);

export * from "../api-phone.js";
