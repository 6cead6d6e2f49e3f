// The types of callerid/client, beside those of callerid/phone.

import type { RestException } from "./errors.js";
import type { PhoneNumber } from "./phone-number.js";
import type { FetchInit, PlatformResponse, PlatformSignal, PlatformUrl } from "./platform.js";

export type { FetchInit } from "./platform.js";

/** A `fetch` that requests are sent with: the platform's own, one that wraps it, or {@link MockApi.fetch}. */
export type Fetch = (url: string, init: FetchInit) => Promise<PlatformResponse>;

/** What every method that sends a request also takes. */
export interface RequestOptions {
  /** Aborts the request; the promise is rejected with the signal's `reason`. */
  readonly signal?: PlatformSignal | null | undefined;
}

// ── Names and delays ────────────────────────────────────────────────────────────────────────────────────────────

/** What {@link FriendlyName.check} finds. `length` is counted as the server counts, in Unicode scalar values. */
export type FriendlyNameCheck =
  | { readonly ok: true; readonly length: number }
  | {
      readonly ok: false;
      readonly length: number;
      /** Over {@link FriendlyName.limit} characters, or an unprintable one in it. */
      readonly reason: "too-long" | "unprintable";
      readonly message: string;
      /** The index of the first character too many, or of the unprintable one. */
      readonly at: number;
    };

/** The rules for what a person calls a number. White space at either end is kept; case matters. */
export interface FriendlyNameRules {
  /** The longest name, in Unicode scalar values: 64. */
  readonly limit: number;
  /** Whether a text is a name. The empty text is: a caller ID that is given it gets its default name. */
  check(text: string): FriendlyNameCheck;
  /** The name of a caller ID that was given none: the number nicely formatted, `(415) 867-5309`. */
  defaultFor(phoneNumber: PhoneNumber): string;
}

/** The rules for how long a call waits. */
export interface CallDelayRules {
  /** The longest delay, in seconds: 60. */
  readonly limit: number;
}

// ── The resource ────────────────────────────────────────────────────────────────────────────────────────────────

/** A number that an account has proved to be its own. */
export interface OutgoingCallerId {
  /** Names this caller ID: `PN` and 32 hexadecimal digits. */
  sid: string;
  /** The account it belongs to. */
  accountSid: string;
  /** What a person calls it; by default its number nicely formatted. */
  friendlyName: string;
  /** The ten digits: `4158675309`. */
  phoneNumber: string;
  /** When it was validated. */
  dateCreated: Date;
  /** When it was last renamed; until then, when it was validated. */
  dateUpdated: Date;
}

/** What a create answers with: the code to show, for the number that is about to ring. */
export interface ValidationRequest {
  accountSid: string;
  /** Names the call that asks for the code: `CA` and 32 hexadecimal digits. 2008-08-01 does not tell it: `null`. */
  callSid: string | null;
  /** The ten digits: `4158675309`. */
  phoneNumber: string;
  /** The name that was given; `null` where none was, since the default is only applied when the caller ID is added. */
  friendlyName: string | null;
  /** Six digits, leading zeros kept, to be keyed on the phone. */
  validationCode: string;
}

/** One page of a list, and its place in the whole. */
export interface CallerIdList {
  items: OutgoingCallerId[];
  /** The page's number, from 0. */
  page: number;
  /** The most rows a page has. */
  pageSize: number;
  /** Pages in the whole list; an empty list has none. `null` if the service does not say. */
  pages: number | null;
  /** Rows in the whole list; `null` if the service does not say, as Twilio's no longer does. */
  total: number | null;
  /** Index of the page's first row in the whole list, from 0. */
  start: number;
  /** Index of the page's last row in the whole list, from 0. */
  end: number;
}

/** A page of a list that a client has read, and the way to its neighbours. */
export interface CallerIdPage extends CallerIdList {
  /**
   * Reads the next page, by the address that came with this one; `null` after the last. In 2010-04-01 that address goes
   * by the last row, so that none is skipped or repeated where rows are added or removed in between; in 2008-08-01, by
   * the page's number.
   */
  next(options?: RequestOptions): Promise<CallerIdPage | null>;
  /**
   * Reads the page before, as it is now; `null` before the first. Where `next` led here, it is the page that it led from,
   * asked for as it was then; where {@link CallerIdClient.list} was given a number, it is the page of the number before.
   */
  previous(options?: RequestOptions): Promise<CallerIdPage | null>;
  /** Whether there is a next page. */
  readonly hasNext: boolean;
  /** Whether there is a page before. */
  readonly hasPrevious: boolean;
}

/** What a response says. */
export type ApiDocument =
  | ({ readonly type: "caller-ids" } & CallerIdList)
  | { readonly type: "caller-id"; readonly callerId: OutgoingCallerId }
  | { readonly type: "validation-request"; readonly validationRequest: ValidationRequest }
  | { readonly type: "exception"; readonly exception: RestException };

// ── The client ──────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A version of the API. In `2008-08-01` the pages of a list go by number. `2010-04-01` is what Twilio's service
 * answers as today: pages go by key, and a create has more options. `callerid serve` and {@link MockApi} answer both.
 */
export type ApiVersion = "2008-08-01" | "2010-04-01";

/** Who asks, and where. */
export interface ConnectionOptions {
  /** `AC` and 32 hexadecimal digits. */
  readonly accountSid: string;
  /** The account's secret. In a browser, anyone who uses the page can read it. */
  readonly authToken: string;
  /** Where the service is: scheme, host and perhaps a port, no path. `http://127.0.0.1:8008`, `location.origin`. */
  readonly baseUrl: string | PlatformUrl;
  /** How requests are sent; the platform's `fetch` by default. */
  readonly fetch?: Fetch | undefined;
}

/** Who asks, where, and how. */
export interface ClientOptions extends ConnectionOptions {
  /** The version to speak. Where it is left out: `2010-04-01` to Twilio's own service, `2008-08-01` to any other. */
  readonly apiVersion?: ApiVersion | undefined;
}

/** What a new caller ID is to be. */
export interface CreateParameters {
  /** The number to validate, in any format. */
  readonly phoneNumber: string | PhoneNumber;
  /** What a person calls it; its default is the number nicely formatted. */
  readonly friendlyName?: string | undefined;
  /** Seconds before the phone rings, 0 to 60; 0 by default. */
  readonly callDelay?: number | undefined;
  /** What to dial after the call is connected: up to 32 digits and `w`, half a second's wait. Only in 2010-04-01. */
  readonly extension?: string | undefined;
  /**
   * The `http` or `https` URL that is told how the validation ended, of up to 1000 characters. Only in 2010-04-01.
   * (`callerid serve` calls it; {@link MockApi} calls nobody.)
   */
  readonly statusCallback?: string | PlatformUrl | undefined;
  /** How `statusCallback` is called; `POST` by default. */
  readonly statusCallbackMethod?: "GET" | "POST" | undefined;
}

/** Which caller IDs a list shows, all conditions together. */
export interface ListFilter {
  /** Only the one with this number, in any format. */
  readonly phoneNumber?: string | PhoneNumber | undefined;
  /** Only those with exactly this name. */
  readonly friendlyName?: string | undefined;
}

/** Which page of which caller IDs. `next` and `previous` of the answer keep to it. */
export interface ListParameters extends ListFilter {
  /** The page's number, from 0. */
  readonly page?: number | undefined;
  /** Rows on a page, 1 to 1000; 50 by default. */
  readonly pageSize?: number | undefined;
}

// ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Where a call stands, in Twilio's words. `queued`, `ringing` and `in-progress` are live. `completed` is over after
 * it was answered, with the right code or without (see {@link Call.verificationStatus}), `busy` was declined, `failed` was
 * never placed or lost its line, `canceled` gave way to a new request for the same number.
 */
export type CallStatus =
  | "queued"
  | "ringing"
  | "in-progress"
  | "completed"
  | "busy"
  | "no-answer"
  | "failed"
  | "canceled";

/** A validation call. It never shows the code, nor what was keyed. */
export interface Call {
  /** `CA` and 32 hexadecimal digits. */
  callSid: string;
  accountSid: string;
  /** The ten digits: `4158675309`. */
  phoneNumber: string;
  /** The name that was given for the caller ID. */
  friendlyName: string | null;
  status: CallStatus;
  /** `null` while the call is live. */
  verificationStatus: "success" | "failed" | null;
  /** Wrong codes that may still be keyed. */
  entriesLeft: number;
  /** Digits of the code keyed so far, 0 to 5: the sixth ends the entry. */
  digitsKeyed: number;
  createdAt: Date;
  /** When it is to ring. */
  dueAt: Date;
  /** When its code is worth nothing any more. */
  expiresAt: Date;
  ringingAt: Date | null;
  answeredAt: Date | null;
  endedAt: Date | null;
}

/** A change of the account's calls or caller IDs. `id` is its place among all changes, for `lastEventId`. */
export type Change =
  | { readonly type: "call"; readonly id: string; readonly call: Call }
  | { readonly type: "caller-id-added"; readonly id: string; readonly callerId: OutgoingCallerId }
  | { readonly type: "caller-id-updated"; readonly id: string; readonly callerId: OutgoingCallerId }
  | { readonly type: "caller-id-deleted"; readonly id: string; readonly sid: string }
  /** Changes were missed that are no longer kept: read the lists again. */
  | { readonly type: "reset"; readonly id: string };

/** What {@link CallControl.events} takes. */
export interface EventsOptions extends RequestOptions {
  /** Begin after this change; by default, with what changes from now on. */
  readonly lastEventId?: string | undefined;
  /**
   * Called when the stream is open, with the id that it begins after, and at every sign of life (about every 15 s
   * where nothing changes): a stream that has been silent for longer is dead.
   */
  readonly onAlive?: ((lastEventId: string | undefined) => void) | undefined;
}
