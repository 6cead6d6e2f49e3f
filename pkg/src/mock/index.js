/**
 * The whole API as an in-process `fetch`, for tests and demonstrations. It shares its .wasm with `callerid`, and its classes with all
 * entries.
 *
 * @module callerid/mock
 */

import { decode } from "../base64.js";
import { file } from "../file.js";
import { base64 } from "../inlined.js";

file.provide(() => decode(base64));

export * from "../api-mock.js";
