// Uses the types of the loaded library (lib.dom, @types/node, Deno, Workers). If none is loaded, declares the few members
// that this package needs, so that its types work without any.

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

/** The second argument of `fetch`: the members that this package uses. */
export interface FetchInit {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal?: PlatformSignal | null;
}

/** A source of the .wasm: its bytes, a compiled module, a response that contains it, or its URL. */
export type WasmSource = Uint8Array | ArrayBuffer | WasmModule | PlatformResponse | PlatformUrl | string;
type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Known } } } ? Known : object;

export {};
