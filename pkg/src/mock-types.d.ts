// The types of the mock.

import type { Call, Change, RequestOptions } from "./client-types.js";
import type { PhoneNumber } from "./phone-number.js";
import type { PlatformEvent, PlatformRequest, PlatformResponse, PlatformSignal } from "./platform.js";

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

/** A fault to add: requests that go wrong on purpose. */
export interface NewFault {
  /** The requests that it is for; by default all. */
  readonly match?: {
    readonly method?: string | undefined;
    /** `*` stands for any characters. */
    readonly path?: string | undefined;
    readonly phoneNumber?: string | PhoneNumber | undefined;
    readonly version?: string | undefined;
  };
  /** How many requests go wrong; by default all. */
  readonly times?: number | undefined;
  /** What happens to them: one of these, or a delay or a hold with another one. */
  readonly then: {
    /** Responds with this status, 400 to 599, and does nothing. */
    readonly status?: number | undefined;
    readonly code?: number | undefined;
    readonly message?: string | undefined;
    /** Seconds. */
    readonly retryAfter?: number | undefined;
    /** Responds so much later, in milliseconds. */
    readonly delayMs?: number | undefined;
    /** Loses the connection: before the work is done, after it, or in the middle of the body. `fetch` rejects, or the body fails. */
    readonly drop?: "before" | "after" | "mid_body" | undefined;
    /** Responds when the fault is released or removed. */
    readonly hold?: boolean | undefined;
  };
  /** How long the fault lasts, in milliseconds. */
  readonly ttlMs?: number | undefined;
}

/** A fault of a mock. */
export interface Fault extends NewFault {
  readonly id: number;
  /** How many requests went wrong. */
  readonly hits: number;
  /** How many more will; `null` if all do. */
  readonly timesLeft: number | null;
  /** The last requests that all conditions but one were true for. */
  readonly nearlyMatched: readonly { readonly requestId: number; readonly because: string }[];
}

/** A request that a mock has answered. Users and passwords in it are masked. */
export interface LoggedRequest {
  /** Counts the requests, from 1. */
  readonly id: number;
  readonly at: Date;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly form: string;
  readonly version: string | null;
  readonly status: number | null;
  /** The code of the error, if the response is one. */
  readonly code: number | null;
  readonly requestSid: string;
}

/** What a call must be to match. */
export interface CallFilter {
  /** The number, in any format. */
  readonly phoneNumber?: string | PhoneNumber | undefined;
  readonly status?: Call["status"] | undefined;
}

/** Receives a status callback, and may return a response; without one, the callback counts as delivered. */
export type StatusCallbackReceiver = (request: PlatformRequest) => PlatformResponse | void | Promise<PlatformResponse | void>;

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
  /** Receives the status callbacks: see {@link MockApi.onStatusCallback}. */
  readonly onStatusCallback?: StatusCallbackReceiver | undefined;
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
  /** Sets what the phone does by itself when it rings. */
  will(script: PhoneScript): void;
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
