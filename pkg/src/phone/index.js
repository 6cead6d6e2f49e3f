/**
 * Only phone numbers, in a fifth of the size. Its classes are those of `callerid/client` and `callerid`.
 *
 * @module callerid/phone
 */

import { decode } from "../base64.js";
import { file } from "./file.js";
import { base64 } from "./inlined.js";

file.provide(() => decode(base64));

export * from "../api-phone.js";
