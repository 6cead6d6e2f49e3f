/**
 * `callerid/client`, which finds its .wasm at an address: beside itself, or where a bundler has put it. Call {@link init}
 * once before anything else.
 *
 * @module callerid/client/url
 */

import type { WasmSource } from "./slim.js";

export * from "./client.js";
export type { WasmSource } from "./slim.js";

/** Loads the .wasm. Once it is loaded there is nothing to do. */
export function init(source?: WasmSource | Promise<WasmSource>): Promise<void>;
