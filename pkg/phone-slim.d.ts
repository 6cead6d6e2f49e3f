/**
 * `callerid/phone`, given its .wasm by the caller: call {@link init} once before anything else.
 *
 * @module callerid/phone/slim
 */

import type { WasmSource } from "./slim.js";

export * from "./phone.js";
export type { WasmSource } from "./slim.js";

/** Loads the package's `callerid/phone.wasm`. Once it is loaded there is nothing to do. */
export function init(source: WasmSource | Promise<WasmSource>): Promise<void>;
