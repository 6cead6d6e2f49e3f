/**
 * Everything except the mock, in two thirds of the size: for production. It contains `callerid/phone`. Its client works with a
 * `MockApi` as with any other server.
 *
 * @module callerid/client
 */

import { decode } from "../base64.js";
import { file as phoneFile } from "../phone/file.js";
import { base64 as phoneBase64 } from "../phone/inlined.js";
import { file } from "./file.js";
import { base64 } from "./inlined.js";

phoneFile.provide(() => decode(phoneBase64));
file.provide(() => decode(base64));

export * from "../api-client.js";
