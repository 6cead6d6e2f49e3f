/**
 * `callerid/client`, given its .wasm by the caller: call {@link init} once before anything else.
 *
 * @module callerid/client/slim
 */

import type { WasmSource } from "./slim.js";

export * from "./client.js";
export type { WasmSource } from "./slim.js";

/** Loads the package's `callerid/client.wasm`. Once it is loaded there is nothing to do. */
export function init(source: WasmSource | Promise<WasmSource>): Promise<void>;
