// Those of whatever library is loaded (lib.dom, @types/node, Deno, Workers), and the few members that are needed
// where none is, so that these types stand by themselves.

export type Platform<Name extends string, Needed> = typeof globalThis extends Record<Name, { prototype: infer Known }>
  ? Known
  : Needed;

export type PlatformRequest = Platform<
  "Request",
  { readonly url: string; readonly method: string; arrayBuffer(): Promise<ArrayBuffer> }
>;
export type PlatformResponse = Platform<
  "Response",
  {
    readonly ok: boolean;
    readonly status: number;
    arrayBuffer(): Promise<ArrayBuffer>;
    json(): Promise<unknown>;
    text(): Promise<string>;
  }
>;
export type PlatformUrl = Platform<"URL", { readonly href: string }>;
export type PlatformSignal = Platform<"AbortSignal", { readonly aborted: boolean; readonly reason: unknown }>;
export type PlatformEvent = Platform<"Event", { readonly type: string }>;
export type PlatformFetch = typeof globalThis extends { fetch: infer Known }
  ? Known
  : (input: string | PlatformUrl | PlatformRequest, init?: FetchInit) => Promise<PlatformResponse>;

/** What `fetch` takes beside the address: the members this package sends and reads. */
export interface FetchInit {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal?: PlatformSignal | null;
}

/** Where the .wasm comes from: its bytes, a compiled module, a response that carries it, or its address. */
export type WasmSource = Uint8Array | ArrayBuffer | WasmModule | PlatformResponse | PlatformUrl | string;
type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Known } } } ? Known : object;

export {};
