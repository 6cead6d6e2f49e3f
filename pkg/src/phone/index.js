/**
 * Only phone numbers, in a third of the size. Its classes are those of `callerid`.
 *
 * @module callerid/phone
 */

import { decode } from "../base64.js";
import { file } from "./file.js";
import { base64 } from "./inlined.js";

file.provide(() => decode(base64));

export * from "./api.js";
