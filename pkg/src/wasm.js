// The core's .wasm files. Each contains some of its parts, and is loaded at first use if an entry provides it, otherwise with `init`.
// The modules that use a part are the same for all entries; they call whichever file has it.

/** @import { SyncInitInput } from "./glue.js" */
/** @import { WasmSource } from "./platform.js" */

/** @typedef {typeof import("./glue.js")} Core */
/** @typedef {"phone" | "client" | "mock"} Part */

/**
 * The files that an entry provides.
 *
 * @type {WasmFile[]}
 */
const provided = [];

/**
 * The loaded exports, by part.
 *
 * @type {{ [part in Part]?: Core }}
 */
const loaded = {};

/**
 * A .wasm file and its glue.
 *
 * @internal
 */
export class WasmFile {
  #glue;
  /** @type {(() => SyncInitInput) | undefined} */
  #provide;
  #isLoaded = false;
  /** @type {Promise<void> | undefined} */
  #loading;

  /**
   * @param {Pick<Core, "initSync">} glue
   * @param {readonly Part[]} parts
   */
  constructor(glue, parts) {
    this.#glue = glue;
    this.parts = parts;
  }

  /**
   * Sets the provider of the bytes or the module, which is called when a part of it is first needed.
   *
   * @param {() => SyncInitInput} provide
   */
  provide(provide) {
    if (this.#provide) return;
    this.#provide = provide;
    provided.push(this);
  }

  /** Loads it from its provider. */
  load() {
    if (this.#provide) this.#start(this.#provide());
  }

  /**
   * Loads it. Does nothing if it is already loaded.
   *
   * @param {WasmSource | Promise<WasmSource>} source
   * @returns {Promise<void>}
   */
  init(source) {
    if (this.#isLoaded) return Promise.resolve();
    this.#loading ??= read(source).then(
      (module) => this.#start(module),
      (error) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }

  /** @param {SyncInitInput} module */
  #start(module) {
    if (this.#isLoaded) return;
    this.#glue.initSync({ module });
    this.#isLoaded = true;
    for (const part of this.parts) loaded[part] ??= /** @type {Core} */ (this.#glue);
  }
}

/** @internal */
export const phone = () => loaded.phone ?? load("phone");
/** @internal */
export const client = () => loaded.client ?? load("client");
/** @internal */
export const mock = () => loaded.mock ?? load("mock");

/**
 * Loads the file that has the most parts, because one that an entry provides in addition has fewer.
 *
 * @param {Part} part
 */
function load(part) {
  const files = provided.filter(({ parts }) => parts.includes(part)).sort((one, other) => other.parts.length - one.parts.length);
  files[0]?.load();
  const core = loaded[part];
  if (core === undefined) throw new Error("callerid is not loaded: `await init(…)` first, as callerid/slim says");
  return core;
}

/**
 * The core and the wire use UTF-8.
 *
 * @internal
 */
export const encoder = new TextEncoder();

/**
 * Converts an object for the core: every value is a string; `undefined` values are left out.
 *
 * @internal
 * @param {Record<string, unknown>} object
 */
export function texts(object) {
  /** @type {Record<string, string>} */
  const texts = {};
  for (const [name, value] of Object.entries(object)) if (value !== undefined) texts[name] = String(value);
  return texts;
}

/** @param {WasmSource | Promise<WasmSource>} given */
async function read(given) {
  const source = await given;
  if (typeof source !== "string" && !(source instanceof URL)) return compile(source);
  const url = new URL(source, globalThis.location?.href);
  // Node's fetch does not support file URLs.
  const fs = url.protocol === "file:" ? globalThis.process?.getBuiltinModule?.("node:fs") : undefined;
  return compile(fs ? fs.readFileSync(url) : await fetch(url));
}

/** @param {Exclude<WasmSource, string | URL>} source */
async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  // Checked first, because Node loads its whole fetch implementation at the first access to Response.
  const isBytes = source instanceof ArrayBuffer || ArrayBuffer.isView(source);
  if (isBytes || typeof Response !== "function" || !(source instanceof Response)) {
    return WebAssembly.compile(/** @type {BufferSource} */ (source));
  }
  if (!source.ok) throw new Error(`callerid: ${source.url} answered ${source.status}`);
  // Compiles while downloading, which requires the right content type.
  if (source.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(source);
  return WebAssembly.compile(await source.arrayBuffer());
}
