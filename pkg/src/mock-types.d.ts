// The types of callerid's mock.

import type { Call, Change, RequestOptions } from "./client-types.js";
import type { PhoneNumber } from "./phone-number.js";
import type { PlatformEvent, PlatformSignal } from "./platform.js";

/** A caller ID that a mock begins with. */
export interface SeedCallerId {
  /** The number, in any format. */
  readonly phoneNumber: string | PhoneNumber;
  /** Its default is the number nicely formatted. */
  readonly friendlyName?: string | undefined;
  /** Made from the entropy by default. */
  readonly sid?: string | undefined;
  /** The mock's present by default. */
  readonly dateCreated?: Date | undefined;
  /** `dateCreated` by default. */
  readonly dateUpdated?: Date | undefined;
}

/** How a mock begins. */
export interface MockApiOptions {
  /** The account that may ask; made from the entropy by default. */
  readonly accountSid?: string | undefined;
  /** Its token; made from the entropy by default. */
  readonly authToken?: string | undefined;
  /** The caller IDs it has. */
  readonly seed?: readonly SeedCallerId[] | undefined;
  /**
   * A test clock: it stands at this moment until {@link MockApi.advance} moves it. Where it is left out the mock goes
   * by `Date.now` and `setTimeout`.
   */
  readonly now?: Date | undefined;
  /** Fills the bytes that Sids and codes are made from; `crypto.getRandomValues` by default. */
  readonly entropy?: ((bytes: Uint8Array) => void) | undefined;
  /** Every validation gets this code, six digits. */
  readonly validationCode?: string | undefined;
}

/** Someone's phone. */
export interface MockPhone {
  /** The ten digits: `4158675309`. */
  readonly phoneNumber: string;
  /**
   * The call that is ringing there, or the next that will. With a test clock a call that is delayed rings when
   * {@link MockApi.advance} gets to it.
   */
  rings(options?: RequestOptions): Promise<MockCall>;
}

/**
 * A call as the person at the phone sees it. What cannot happen to it as it stands is thrown as a {@link RestException}
 * with status 409. The properties are those of the moment at which it was handed over; each method returns the call after
 * it.
 */
export interface MockCall extends Call {
  answer(): MockCall;
  /** Presses keys, one or several of `0` to `9`, `*` (begin again) and `#` (end the entry). */
  press(digits: string): MockCall;
  /** Declines it while it rings: it ends as `busy`. */
  decline(): MockCall;
  /** Hangs up; while it rings, that declines it. */
  hangUp(): MockCall;
  /** Lets it ring until it ends as `no-answer`. */
  noAnswer(): MockCall;
}

/** A call rings. */
export type CallEvent = PlatformEvent & { readonly call: MockCall };
/** Something changed. */
export type ChangeEvent = PlatformEvent & { readonly change: Change };

/** What {@link MockApi.addEventListener} can listen to. */
export interface MockApiEvents {
  call: CallEvent;
  change: ChangeEvent;
}

/** What {@link MockApi} inherits. */
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

// `using mock = new MockApi()`, if the loaded library knows `Symbol.dispose`.
type Disposes = SymbolConstructor extends { readonly dispose: infer Dispose extends symbol }
  ? { [Key in Dispose]: () => void }
  : unknown;

interface Disposing extends Pick<Disposes, keyof Disposes> {}

export {};
