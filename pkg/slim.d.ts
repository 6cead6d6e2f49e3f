/**
 * `callerid`, given its .wasm by the caller: call {@link init} once before anything else. It shares its state with every
 * other entry of the package.
 *
 * @module callerid/slim
 */

export * from "./index.js";

type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Known } } } ? Known : object;
type WasmUrl = typeof globalThis extends { URL: { prototype: infer Known } } ? Known : { readonly href: string };
type WasmResponse = typeof globalThis extends { Response: { prototype: infer Known } }
  ? Known
  : { arrayBuffer(): Promise<ArrayBuffer> };

/** Where the .wasm comes from: its bytes, a compiled module, a response that carries it, or its address. */
export type WasmSource = Uint8Array | ArrayBuffer | WasmModule | WasmResponse | WasmUrl | string;

/** Loads the package's `callerid/callerid.wasm`. Once it is loaded there is nothing to do. */
export function init(source: WasmSource | Promise<WasmSource>): Promise<void>;
