import { client, encoder } from "./wasm.js";

/** @import { ApiDocument } from "./client-types.js" */

/**
 * Parses the XML body of any response of the API, of either version.
 *
 * @param {string | Uint8Array} body
 * @param {string | null} [contentType] The response's `Content-Type`; if given, it must be XML.
 * @returns {ApiDocument}
 * @throws {InvalidDocument} if the body is not a valid document of the API.
 */
export function parseResponse(body, contentType) {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  return client().parseResponse(bytes, contentType);
}
