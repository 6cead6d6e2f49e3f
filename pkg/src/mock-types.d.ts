// The types of the mock.

import type { Call, Change, RequestOptions } from "./client-types.js";
import type { PhoneNumber } from "./phone-number.js";
import type { PlatformEvent, PlatformSignal } from "./platform.js";

/** A caller ID that a mock starts with. */
export interface SeedCallerId {
  /** The number, in any format. */
  readonly phoneNumber: string | PhoneNumber;
  /** Its name; by default the formatted number. */
  readonly friendlyName?: string | undefined;
  /** By default derived from the entropy. */
  readonly sid?: string | undefined;
  /** By default the mock's current time. */
  readonly dateCreated?: Date | undefined;
  /** By default `dateCreated`. */
  readonly dateUpdated?: Date | undefined;
}

/** A step of a phone's script. */
export interface PhoneStep {
  /** What happens. */
  readonly do: "answer" | "key" | "hang_up" | "decline" | "busy" | "no_answer" | "fail";
  /** How long after the step before it, or after the phone rings, in milliseconds; by default at once. */
  readonly afterMs?: number | undefined;
  /** The keys of `key`; by default the call's code. */
  readonly digits?: "code" | "wrong" | (string & {}) | undefined;
}

/** What a phone does by itself when it rings: steps, or the name of a script. */
export type PhoneScript =
  | "verifies"
  | "wrong_code"
  | "wrong_then_right"
  | "busy"
  | "no_answer"
  | "declines"
  | "hangs_up"
  | "fails"
  | "answers_silently"
  | readonly PhoneStep[];

/** What to add to a mock. A number is in any format; `*` is every number without an entry of its own. */
export interface Seed {
  readonly callerIds?: readonly SeedCallerId[] | undefined;
  /** The code of the next validations, by number. */
  readonly codes?: Readonly<Record<string, string>> | undefined;
  /** What phones do by themselves, by number. */
  readonly phones?: Readonly<Record<string, PhoneScript>> | undefined;
}

/** Options of a mock. */
export interface MockApiOptions {
  /** The account's Sid; by default derived from the entropy. */
  readonly accountSid?: string | undefined;
  /** The account's auth token; by default derived from the entropy. */
  readonly authToken?: string | undefined;
  /** The account's initial caller IDs. */
  readonly seed?: readonly SeedCallerId[] | undefined;
  /**
   * The start time of a test clock, which changes only with {@link MockApi.advance}. If absent, the mock uses `Date.now`
   * and `setTimeout`.
   */
  readonly now?: Date | undefined;
  /** Fills the random bytes for Sids and codes; by default `crypto.getRandomValues`. */
  readonly entropy?: ((bytes: Uint8Array) => void) | undefined;
  /** Six digits: the code of every validation. By default, codes are random. */
  readonly validationCode?: string | undefined;
}

/** A user's phone. */
export interface MockPhone {
  /** The ten digits: `4158675309`. */
  readonly phoneNumber: string;
  /**
   * Resolves to the ringing call, or to the next one when it rings. With a test clock, a delayed call rings when
   * {@link MockApi.advance} reaches its time. It rejects if nobody advances the clock for three seconds meanwhile.
   */
  rings(options?: RequestOptions): Promise<MockCall>;
}

/**
 * A call as seen from the phone. A method throws a {@link RestException} with status 409 if the call's state does not
 * allow it. The properties do not change; each method returns the updated call.
 */
export interface MockCall extends Call {
  answer(): MockCall;
  /** Presses one or more keys: `0` to `9`, `*` (restart the entry) and `#` (end the entry). */
  press(digits: string): MockCall;
  /** Declines the ringing call, which ends as `busy`. */
  decline(): MockCall;
  /** Hangs up. Declines a ringing call. */
  hangUp(): MockCall;
  /** Ends the ringing call as `no-answer`. */
  noAnswer(): MockCall;
}

/** Fired when a call starts ringing. */
export type CallEvent = PlatformEvent & { readonly call: MockCall };
/** Fired when a call or a caller ID changes. */
export type ChangeEvent = PlatformEvent & { readonly change: Change };

/** The events of {@link MockApi}. */
export interface MockApiEvents {
  call: CallEvent;
  change: ChangeEvent;
}

/** The base class of {@link MockApi}. */
export interface MockEventTarget extends Disposing {
  addEventListener<Type extends keyof MockApiEvents>(
    type: Type,
    listener: (event: MockApiEvents[Type]) => void,
    options?: boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: PlatformSignal },
  ): void;
  removeEventListener<Type extends keyof MockApiEvents>(
    type: Type,
    listener: (event: MockApiEvents[Type]) => void,
    options?: boolean | { capture?: boolean },
  ): void;
  /** @internal */
  dispatchEvent(event: PlatformEvent): boolean;
}

// For `using mock = new MockApi()`, if the loaded type library has `Symbol.dispose`.
type Disposes = SymbolConstructor extends { readonly dispose: infer Dispose extends symbol }
  ? { [Key in Dispose]: () => void }
  : unknown;

interface Disposing extends Pick<Disposes, keyof Disposes> {}

export {};
