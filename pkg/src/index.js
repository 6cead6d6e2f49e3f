/**
 * Twilio's OutgoingCallerIds API, versions 2008-08-01 and 2010-04-01: phone number and name validation that matches the
 * server's exactly, and a typed client. `callerid/mock` has the whole API as an in-process `fetch`, for tests.
 *
 * The package is the server's own core, compiled to WebAssembly. `callerid` contains it inlined and loads it at first
 * use; `callerid/slim` and `callerid/url` are the same modules with an explicit `init`.
 *
 * @module callerid
 */

import { decode } from "./base64.js";
import { file } from "./file.js";
import { base64 } from "./inlined.js";
import { file as phoneFile } from "./phone/file.js";
import { base64 as phoneBase64 } from "./phone/inlined.js";

phoneFile.provide(() => decode(phoneBase64));
file.provide(() => decode(base64));

export * from "./api.js";
