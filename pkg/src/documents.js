import { core, encoder } from "./wasm.js";

/** @import { ApiDocument } from "./client-types.js" */

/**
 * Reads the body of any response of the API, of either version, in XML.
 *
 * @param {string | Uint8Array} body
 * @param {string | null} [contentType] The response's `Content-Type`; where it is given and is not XML, the body is refused.
 * @returns {ApiDocument}
 * @throws {InvalidDocument} where the body is none of the API's documents.
 */
export function parseResponse(body, contentType) {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  return core().parseResponse(bytes, contentType);
}
