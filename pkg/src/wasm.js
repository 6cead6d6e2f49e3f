// Loads the .wasm: at its first use where an entry carries it, by `init` where not.

import * as glue from "./glue.js";

/** Gives the bytes or the module; set by the entry that carries them. */
let provider;
let isLoaded = false;
let loading;

/** Says where the .wasm is to be had when it is first needed. */
export function provide(provide) {
  provider ??= provide;
}

function start(module) {
  if (!isLoaded) glue.initSync({ module });
  isLoaded = true;
  provider = undefined;
}

/** The core's exports, loaded if they are not yet. */
export function core() {
  if (!isLoaded) {
    if (provider === undefined) throw new Error("callerid is not loaded: `await init(…)` first, as callerid/slim says");
    start(provider());
  }
  return glue;
}

/** Texts are UTF-8 to the core, and on the wire. */
export const encoder = new TextEncoder();

/** An object as the core takes it: every member a text or `undefined`. */
export function texts(object) {
  const texts = {};
  for (const [name, value] of Object.entries(object)) if (value !== undefined) texts[name] = String(value);
  return texts;
}

/** Loads the .wasm from bytes, a module, a response or an address. Once it is loaded, there is nothing to do. */
export function init(source) {
  if (isLoaded) return Promise.resolve();
  loading ??= load(source).then(start, (error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(given) {
  let source = await given;
  if (typeof source === "string") source = new URL(source, globalThis.location?.href);
  if (source instanceof URL) {
    // Node's fetch reads no files.
    const fs = source.protocol === "file:" ? globalThis.process?.getBuiltinModule?.("node:fs") : undefined;
    source = fs ? fs.readFileSync(source) : await fetch(source);
  }
  if (source instanceof WebAssembly.Module) return source;
  // Node loads all of its fetch where Response is first named: not for who brings the bytes.
  const isBytes = source instanceof ArrayBuffer || ArrayBuffer.isView(source);
  if (!isBytes && typeof Response === "function" && source instanceof Response) {
    if (!source.ok) throw new Error(`callerid: ${source.url} answered ${source.status}`);
    // As it comes in, where the host says what it is.
    if (source.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(source);
    source = await source.arrayBuffer();
  }
  return WebAssembly.compile(source);
}
