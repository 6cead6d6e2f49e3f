/**
 * The whole API as an in-process `fetch`, for tests and demonstrations. Its .wasm has everything, and its classes are those of all
 * entries.
 *
 * @module callerid/mock
 */

import { decode } from "../base64.js";
import { file } from "./file.js";
import { base64 } from "./inlined.js";

file.provide(() => decode(base64));

export * from "./api.js";
