// The types of callerid, in addition to those of callerid/phone.

import type { RestException } from "./errors.js";
import type { PhoneNumber } from "./phone-number.js";
import type { FetchInit, PlatformResponse, PlatformSignal, PlatformUrl } from "./platform.js";

export type { FetchInit } from "./platform.js";

/** A `fetch` function: the platform's, a wrapper of it, or {@link MockApi.fetch}. */
export type Fetch = (url: string, init: FetchInit) => Promise<PlatformResponse>;

/** Options of every method that sends a request. */
export interface RequestOptions {
  /** Aborts the request. The promise then rejects with the signal's `reason`. */
  readonly signal?: PlatformSignal | null | undefined;
}

/** Options of {@link CallerIdClient.waitUntilValidated}. */
export interface WaitOptions extends RequestOptions {
  /** Milliseconds between two requests, where the service has no events, or after a lost connection; 3000 by default. */
  readonly pollInterval?: number | undefined;
}

// ── Names and delays ────────────────────────────────────────────────────────────────────────────────────────────

/** The result of {@link FriendlyName.check}. `length` is in Unicode scalar values, as on the server. */
export type FriendlyNameCheck =
  | { readonly ok: true; readonly length: number }
  | {
      readonly ok: false;
      readonly length: number;
      /** It has more than {@link FriendlyName.limit} characters, or contains an unprintable one. */
      readonly reason: "too-long" | "unprintable";
      readonly message: string;
      /** The index of the first excess character, or of the unprintable one. */
      readonly at: number;
    };

/** The rules for friendly names. Leading and trailing white space is kept; case matters. */
export interface FriendlyNameRules {
  /** The maximum length of a name: 64 Unicode scalar values. */
  readonly limit: number;
  /** Checks a name. The empty string is valid: it means the default name. */
  check(text: string): FriendlyNameCheck;
  /** The name of a caller ID that was created without one: the formatted number, `(415) 867-5309`. */
  defaultFor(phoneNumber: PhoneNumber): string;
}

/** The rules for call delays. */
export interface CallDelayRules {
  /** The maximum delay: 60 seconds. */
  readonly limit: number;
}

// ── The resource ────────────────────────────────────────────────────────────────────────────────────────────────

/** A phone number that an account has validated. */
export interface OutgoingCallerId {
  /** The caller ID's identifier: `PN` and 32 hexadecimal digits. */
  sid: string;
  /** The account it belongs to. */
  accountSid: string;
  /** Its name; by default the formatted number. */
  friendlyName: string;
  /** The ten digits: `4158675309`. */
  phoneNumber: string;
  /** When it was validated. */
  dateCreated: Date;
  /** When it was last renamed, or else validated. */
  dateUpdated: Date;
}

/** The result of a create: the code to show to the user, whose phone is about to ring. */
export interface ValidationRequest {
  accountSid: string;
  /** The Sid of the validation call: `CA` and 32 hexadecimal digits. `null` in 2008-08-01. */
  callSid: string | null;
  /** The ten digits: `4158675309`. */
  phoneNumber: string;
  /** The requested name; `null` if absent, because the default is only applied when the caller ID is added. */
  friendlyName: string | null;
  /** The six digits to key on the phone, including leading zeros. */
  validationCode: string;
}

/** One page of a list, and its position in the list. */
export interface CallerIdList {
  items: OutgoingCallerId[];
  /** The page's number, from 0. */
  page: number;
  /** The maximum number of rows per page. */
  pageSize: number;
  /** The number of pages, 0 for an empty list. `null` if the service does not say. */
  pages: number | null;
  /** The number of rows in the whole list. `null` if the service does not say; Twilio's no longer does. */
  total: number | null;
  /** The index of the page's first row in the whole list, from 0. */
  start: number;
  /** The index of the page's last row in the whole list, from 0. */
  end: number;
}

/** A page of a list that a client has fetched, with methods to fetch the next and previous ones. */
export interface CallerIdPage extends CallerIdList {
  /**
   * Fetches the next page, at the address that the service sent with this one; `null` after the last page. In
   * 2010-04-01 that address identifies the last row, so that none is skipped or repeated if rows are added or removed
   * meanwhile. In 2008-08-01 so do `callerid serve` and {@link MockApi}, but another service may use the page's number.
   */
  next(options?: RequestOptions): Promise<CallerIdPage | null>;
  /**
   * Fetches the current content of the previous page; `null` before the first page. If `next` led here, this repeats the
   * request of the page it came from. If {@link CallerIdClient.list} was given a page number, this is the number before.
   */
  previous(options?: RequestOptions): Promise<CallerIdPage | null>;
  /** Whether there is a next page. */
  readonly hasNext: boolean;
  /** Whether there is a previous page. */
  readonly hasPrevious: boolean;
}

/** The content of a response. */
export type ApiDocument =
  | ({ readonly type: "caller-ids" } & CallerIdList)
  | { readonly type: "caller-id"; readonly callerId: OutgoingCallerId }
  | { readonly type: "validation-request"; readonly validationRequest: ValidationRequest }
  | { readonly type: "exception"; readonly exception: RestException };

// ── The client ──────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A version of the API. In `2008-08-01` pages are identified by number. `2010-04-01` is the version of Twilio's service
 * today: pages are identified by key, and a create has more options. `callerid serve` and {@link MockApi} support both.
 */
export type ApiVersion = "2008-08-01" | "2010-04-01";

/** The account and the service to connect to. */
export interface ConnectionOptions {
  /** `AC` and 32 hexadecimal digits. */
  readonly accountSid: string;
  /**
   * The account's auth token. In a browser, anyone who uses the page can read it: there, leave it out, and let a proxy at
   * {@link baseUrl} add it. Requests then carry no credentials.
   */
  readonly authToken?: string | undefined;
  /**
   * The service's address: scheme, host, optional port, and optionally a path that precedes the API's, such as a proxy's.
   * `http://127.0.0.1:8008`, `` `${location.origin}/api` ``.
   */
  readonly baseUrl: string | PlatformUrl;
  /** The function that sends requests; the platform's `fetch` by default. */
  readonly fetch?: Fetch | undefined;
  /**
   * The maximum time of a request in milliseconds, including its response. Afterwards it rejects with a `TimeoutError`. No limit by
   * default. Event streams have none: see {@link EventsOptions.onAlive}.
   */
  readonly timeout?: number | undefined;
  /**
   * How many times a request is repeated if the response is 429 or 503, after the time that its `Retry-After` names (up to a minute), or
   * a second if it names none. Only requests that are safe to repeat: not a create, not an update. 0 by default.
   */
  readonly retries?: number | undefined;
}

/** The account, the service, and the version of its API. */
export interface ClientOptions extends ConnectionOptions {
  /** The version to use. By default `2010-04-01` for Twilio's own service, `2008-08-01` for any other. */
  readonly apiVersion?: ApiVersion | undefined;
}

/** The parameters of a new caller ID. */
export interface CreateParameters {
  /** The number to validate, in any format. */
  readonly phoneNumber: string | PhoneNumber;
  /** Its name; by default the formatted number. */
  readonly friendlyName?: string | undefined;
  /** Seconds before the phone rings, 0 to 60; 0 by default. */
  readonly callDelay?: number | undefined;
  /** What to dial after the call is connected: up to 32 digits and `w` (wait half a second). Only in 2010-04-01. */
  readonly extension?: string | undefined;
  /**
   * The URL that is notified of the validation's result: `http` or `https`, up to 1000 characters. Only in 2010-04-01.
   * (`callerid serve` sends the request; {@link MockApi} does not.)
   */
  readonly statusCallback?: string | PlatformUrl | undefined;
  /** The HTTP method for `statusCallback`; `POST` by default. */
  readonly statusCallbackMethod?: "GET" | "POST" | undefined;
}

/** Filters of a list. All of them must match. */
export interface ListFilter {
  /** Only the caller ID with this number, in any format. */
  readonly phoneNumber?: string | PhoneNumber | undefined;
  /** Only caller IDs with exactly this name. */
  readonly friendlyName?: string | undefined;
}

/** Filters and the page of a list. `next` and `previous` of the result use the same filters and page size. */
export interface ListParameters extends ListFilter {
  /** The page's number, from 0. */
  readonly page?: number | undefined;
  /** Rows per page, 1 to 1000; 50 by default. */
  readonly pageSize?: number | undefined;
}

// ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The status of a call, in Twilio's terms. `queued`, `ringing` and `in-progress` calls are live. A `completed` call was
 * answered and has ended, with or without the right code (see {@link Call.verificationStatus}). A `busy` call was declined.
 * A `failed` call was never placed or lost its line. A `canceled` call was replaced by a new request for the same number.
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

/** Why a phone line failed: no trunk could be reached, the trunk refused the call, the number does not exist, there
 * was no sound, the server ended during the call, or the operator stopped the line. */
export type FailureCause = "no-trunk" | "refused" | "no-such-number" | "media-lost" | "call-lost" | "line-stopped" | "not-allowed";

/** A validation call. It never contains the code or the keyed digits. */
export interface Call {
  /** `CA` and 32 hexadecimal digits. */
  callSid: string;
  accountSid: string;
  /** The ten digits: `4158675309`. */
  phoneNumber: string;
  /** The requested name of the caller ID. */
  friendlyName: string | null;
  /** The ten digits that a real line calls from, once the call has been placed. */
  caller: string | null;
  status: CallStatus;
  /** Why the line failed, if it did. */
  failure: FailureCause | null;
  /** `null` while the call is live. */
  verificationStatus: "success" | "failed" | null;
  /** How many entries of a code are left. */
  entriesLeft: number;
  /** The number of digits keyed so far, 0 to 5: the sixth ends the entry. */
  digitsKeyed: number;
  createdAt: Date;
  /** When it should ring. */
  dueAt: Date;
  /** When its code expires. */
  expiresAt: Date;
  ringingAt: Date | null;
  answeredAt: Date | null;
  endedAt: Date | null;
}

/** A change of the account's calls or caller IDs. `id` is its position among all changes, for `lastEventId`. */
export type Change =
  | { readonly type: "call"; readonly id: string; readonly call: Call }
  | { readonly type: "caller-id-added"; readonly id: string; readonly callerId: OutgoingCallerId }
  | { readonly type: "caller-id-updated"; readonly id: string; readonly callerId: OutgoingCallerId }
  | { readonly type: "caller-id-deleted"; readonly id: string; readonly sid: string }
  /** Changes were missed that the service no longer stores: fetch the lists again. */
  | { readonly type: "reset"; readonly id: string };

/** Options of {@link CallControl.events}. */
export interface EventsOptions extends RequestOptions {
  /** Start after this change. By default, start with the next change. */
  readonly lastEventId?: string | undefined;
  /**
   * Called for every piece of data from the stream, including heartbeats, with the latest id. The first comes when the
   * stream opens. There is one at least about every 15 s: if there is none for longer, the connection is dead.
   */
  readonly onAlive?: ((lastEventId: string | undefined) => void) | undefined;
}
