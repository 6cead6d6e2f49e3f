// The types of callerid/testing.

import type { Seed } from "./mock-types.js";

/** How to start a server. */
export interface StartOptions {
  /** The program; by default the one in the variable CALLERID_PROGRAM, or `callerid` on the PATH. */
  readonly program?: string | undefined;
  /** More options of `callerid serve`: `["--callback-allow", "127.0.0.1"]`. */
  readonly args?: readonly string[] | undefined;
  /** What its account begins with, and what a reset restores. */
  readonly seed?: Seed | undefined;
}

/** A server under the control of tests. Pass `url`, `accountSid` and `authToken` to the client. */
export interface TestServer extends Disposing {
  /** `http://127.0.0.1:` and its port. */
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
  /** Stops it. Resolves when it has ended. */
  stop(): Promise<void>;
}

// For `await using server = await startServer()`, if the loaded type library has `Symbol.asyncDispose`.
type Disposes = SymbolConstructor extends { readonly asyncDispose: infer Dispose extends symbol }
  ? { [Key in Dispose]: () => Promise<void> }
  : unknown;

interface Disposing extends Pick<Disposes, keyof Disposes> {}

export {};
