/**
 * Decodes an inlined .wasm.
 *
 * @param {string} base64
 */
export function decode(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  // Node before 25. Ten times as fast as the code below.
  if (globalThis.Buffer) return globalThis.Buffer.from(base64, "base64");
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
