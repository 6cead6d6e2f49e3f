import { core, encoder } from "./wasm.js";

export function parseResponse(body, contentType) {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  return core().parseResponse(bytes, contentType);
}
