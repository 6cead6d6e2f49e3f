/**
 * Outgoing caller IDs, as the vendor's REST API of 2008-08-01 and of 2010-04-01 defines them: phone number and name
 * rules that agree with the server to the byte, a typed client, and the whole API as an in-process `fetch`.
 *
 * The same core, compiled to WebAssembly, answers here and in the server. `callerid` carries it inlined and loads it
 * at its first use; `callerid/slim` and `callerid/url` are the same module with an explicit `init`.
 *
 * @module callerid
 */

// ── Platform types ──────────────────────────────────────────────────────────────────────────────────────────────
// Those of whatever library is loaded (lib.dom, @types/node, Deno, Workers), and the few members that are needed
// where none is, so that these types stand by themselves.

type Platform<Name extends string, Needed> = typeof globalThis extends Record<Name, { prototype: infer Known }>
  ? Known
  : Needed;

type PlatformRequest = Platform<
  "Request",
  { readonly url: string; readonly method: string; arrayBuffer(): Promise<ArrayBuffer> }
>;
type PlatformResponse = Platform<
  "Response",
  {
    readonly ok: boolean;
    readonly status: number;
    arrayBuffer(): Promise<ArrayBuffer>;
    json(): Promise<unknown>;
    text(): Promise<string>;
  }
>;
type PlatformUrl = Platform<"URL", { readonly href: string }>;
type PlatformSignal = Platform<"AbortSignal", { readonly aborted: boolean; readonly reason: unknown }>;
type PlatformEvent = Platform<"Event", { readonly type: string }>;
type PlatformFetch = typeof globalThis extends { fetch: infer Known }
  ? Known
  : (input: string | PlatformUrl | PlatformRequest, init?: FetchInit) => Promise<PlatformResponse>;

/** What `fetch` takes beside the address: the members this package sends and reads. */
export interface FetchInit {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal?: PlatformSignal | null;
}

/** A `fetch` that requests are sent with: the platform's own, one that wraps it, or {@link MockApi.fetch}. */
export type Fetch = (url: string, init: FetchInit) => Promise<PlatformResponse>;

/** What every method that sends a request also takes. */
export interface RequestOptions {
  /** Aborts the request; the promise is rejected with the signal's `reason`. */
  readonly signal?: PlatformSignal | null | undefined;
}

// ── Phone numbers ───────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Why a text is no phone number:
 *
 * | reason | the text |
 * |---|---|
 * | `empty` | is empty or blank |
 * | `too-short`, `too-long` | has fewer or more than ten digits |
 * | `another-country` | is an international number of another country than +1 |
 * | `extension` | has an extension: see {@link PhoneNumber.parseWithExtension} |
 * | `area-code` | has an area code that cannot be: it begins with 0 or 1, or is a service code like 911 |
 * | `unassigned-area-code` | has an area code that nobody has |
 * | `exchange` | has three digits after the area code that cannot be, or that have no numbers there |
 * | `stray-text` | has something in it that is no part of a number |
 * | `text-too-long` | has more than 250 characters |
 */
export type InvalidPhoneNumberReason =
  | "empty"
  | "too-short"
  | "too-long"
  | "another-country"
  | "extension"
  | "area-code"
  | "exchange"
  | "unassigned-area-code"
  | "stray-text"
  | "text-too-long";

/**
 * What a number is for, as far as the numbering plan tells. In the US and Canada nearly all are `fixed-line-or-mobile`;
 * `unassigned` is only a number that was withdrawn since it was read: see {@link PhoneNumber.restore}.
 */
export type PhoneNumberKind =
  | "unassigned"
  | "fixed-line"
  | "mobile"
  | "fixed-line-or-mobile"
  | "toll-free"
  | "premium-rate"
  | "shared-cost"
  | "personal-number"
  | "voip"
  | "pager"
  | "uan"
  | "voicemail";

/** What {@link PhoneNumber.check} finds. */
export type PhoneNumberCheck =
  | { readonly ok: true; readonly phoneNumber: PhoneNumber }
  | {
      readonly ok: false;
      readonly reason: InvalidPhoneNumberReason;
      /** What is wrong, where (the offset is {@link at}), and what would be right. */
      readonly message: string;
      /** Where it is: an index into the string, as `slice` and `setSelectionRange` take it. */
      readonly at: number;
    };

/**
 * A North American number, valid when it was read: ten digits. It is immutable, holds nothing that needs freeing, and shows itself as
 * its ten digits in a template, in JSON and when sorted.
 */
export class PhoneNumber {
  private constructor();

  /**
   * Reads a number in any format people write: `(415) 555.1212`, `1-415-555-1212`, `+1 415 555 1212`,
   * `tel:+1-415-555-1212`, `1-800-FLOWERS`, full-width and other Unicode digits.
   *
   * @throws {InvalidPhoneNumber} where it is none, or has an extension.
   */
  static parse(text: string): PhoneNumber;

  /**
   * Takes a number back that was read before, from a list or from storage: by its shape (ten digits, the first not 0 or 1,
   * perhaps after `+1`), whatever the numbering plan says of it by now. The plan changes, and a number that it has
   * withdrawn must not break what shows it. Any other text is read as by {@link parse}, which is for what people write.
   *
   * @throws {InvalidPhoneNumber} as {@link parse} does.
   */
  static restore(text: string): PhoneNumber;

  /**
   * As {@link parse}, and splits off an extension: `415-867-5309 x123`.
   *
   * @throws {InvalidPhoneNumber} where it is no number.
   */
  static parseWithExtension(text: string): { phoneNumber: PhoneNumber; extension: string | null };

  /** As {@link parse}, without an exception: for what is being typed. */
  static check(text: string): PhoneNumberCheck;

  /**
   * Reads many numbers in one crossing: of each text the ten digits, or `null` where it is no number.
   */
  static normalizeAll(texts: readonly string[]): (string | null)[];
  /**
   * Reads many numbers in one crossing: UTF-8 text with a number a line (ended by `\n` or `\r\n`). The answer has as
   * many lines: the ten digits, or an empty line where it is no number.
   */
  static normalizeAll(lines: Uint8Array): Uint8Array;

  /** The release of libphonenumber whose metadata says which numbers are valid, and of what kind. */
  static readonly metadataRelease: string;

  /** What the number is for. */
  readonly kind: PhoneNumberKind;
  /** As it is written at home: `(415) 867-5309`. */
  readonly national: string;
  /** As it is written everywhere (ITU-T E.164): `+14158675309`. */
  readonly e164: string;
  /** The ten digits: `4158675309`. */
  toString(): string;
  /** The ten digits: `4158675309`. */
  toJSON(): string;
}

/** A text is no phone number. The message says what is wrong, where, and what would be right. */
export class InvalidPhoneNumber extends Error {
  private constructor();
  readonly name: "InvalidPhoneNumber";
  readonly reason: InvalidPhoneNumberReason;
  /** Where it is: an index into the string. */
  readonly at: number;
}

// ── Names and delays ────────────────────────────────────────────────────────────────────────────────────────────

/** What {@link FriendlyName.check} finds. `length` is counted as the server counts, in Unicode scalar values. */
export type FriendlyNameCheck =
  | { readonly ok: true; readonly length: number }
  | {
      readonly ok: false;
      readonly length: number;
      /** Over {@link FriendlyName.limit} characters, or one in it that cannot be shown. */
      readonly reason: "too-long" | "unprintable";
      readonly message: string;
      /** The index of the first character too many, or of the one that cannot be shown. */
      readonly at: number;
    };

/** The rules for what a person calls a number. White space at either end is kept; case matters. */
export const FriendlyName: {
  /** The longest name, in Unicode scalar values: 64. */
  readonly limit: number;
  /** Whether a text is a name. The empty text is: a caller ID that is given it gets its default name. */
  check(text: string): FriendlyNameCheck;
  /** The name of a caller ID that was given none: the number nicely formatted, `(415) 867-5309`. */
  defaultFor(phoneNumber: PhoneNumber): string;
};

/** The rules for how long a call waits. */
export const CallDelay: {
  /** The longest delay, in seconds: 60. */
  readonly limit: number;
};

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
  /** Pages in the whole list; an empty list has none. `null` where the service does not say. */
  pages: number | null;
  /** Rows in the whole list; `null` where the service does not say, as the vendor's no longer does. */
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

/**
 * Reads the body of any response of the API, of either version, in XML.
 *
 * @param contentType The response's `Content-Type`; where it is given and is not XML, the body is refused.
 * @throws {InvalidDocument} where the body is none of the API's documents.
 */
export function parseResponse(body: string | Uint8Array, contentType?: string | null): ApiDocument;

/** A body is none of the API's documents. The message says why, and from which byte on. */
export class InvalidDocument extends Error {
  private constructor();
  readonly name: "InvalidDocument";
  /** Offset of what is wrong, in bytes of the body. */
  readonly at: number;
}

// ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The service refused a request, in its own words.
 *
 * | code | when | status |
 * |---|---|---|
 * | 20002 | a name over 64 characters, or missing from an update | 400 |
 * | 20003 | credentials missing or wrong | 401 |
 * | 20004 | the resource does not do that | 405 |
 * | 20006 | the list has no such page | 400 |
 * | 20007 | a page size that is no number from 1 to 1000 | 400 |
 * | 20404, in 2008-08-01 `null` | no such resource | 404 |
 * | 20429 | the number has had all the wrong codes it may have | 429 |
 * | 20500 | something is wrong with the service itself | 500 |
 * | 21401 | a number that is missing or no valid ten digit number | 400 |
 * | 21450 | the number is already one of the account's caller IDs | 400 |
 * | 21454 | a delay that is no whole number of seconds from 0 to 60 | 400 |
 * | 21456 | a status callback that is no URL to call | 400 |
 * | 21481 | a page's address that the service did not give | 400 |
 */
export class RestException extends Error {
  private constructor();
  readonly name: "RestException";
  /** The HTTP status. */
  readonly status: number;
  /** The vendor's number for the error; `null` where it sends none, as with a 404. */
  readonly code: number | null;
  /** Where the vendor explains the code. */
  readonly moreInfo: string | null;
}

/**
 * A response came that is not the API's: a proxy's page, another service, an answer to another question. The
 * `cause` says why where the body is at fault.
 */
export class UnexpectedResponse extends Error {
  private constructor();
  readonly name: "UnexpectedResponse";
  /** The HTTP status. */
  readonly status: number;
  readonly code: null;
  readonly moreInfo: null;
}

// ── The client ──────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A version of the API. In `2008-08-01` the pages of a list go by number. `2010-04-01` is what the vendor's service
 * answers as today: pages go by key, and a create has more options. `callerid serve` and {@link MockApi} answer both.
 */
export type ApiVersion = "2008-08-01" | "2010-04-01";

/** Who asks, and where. */
export interface ConnectionOptions {
  /** `AC` and 32 hexadecimal digits. */
  readonly accountSid: string;
  /** The account's secret. In a browser whoever uses the page can read it. */
  readonly authToken: string;
  /** Where the service is: scheme, host and perhaps a port, no path. `http://127.0.0.1:8008`, `location.origin`. */
  readonly baseUrl: string | PlatformUrl;
  /** How requests are sent; the platform's `fetch` where it is left out. */
  readonly fetch?: Fetch | undefined;
}

/** Who asks, where, and how. */
export interface ClientOptions extends ConnectionOptions {
  /** The version to speak. Where it is left out: `2010-04-01` to the vendor's own service, `2008-08-01` to any other. */
  readonly apiVersion?: ApiVersion | undefined;
}

/** What a new caller ID is to be. */
export interface CreateParameters {
  /** The number to validate, in any format. */
  readonly phoneNumber: string | PhoneNumber;
  /** What a person calls it; its default is the number nicely formatted. */
  readonly friendlyName?: string | undefined;
  /** Seconds before the phone rings, 0 to 60; 0 where it is left out. */
  readonly callDelay?: number | undefined;
  /** What to dial after the call is connected: up to 32 digits and `w`, half a second's wait. Only in 2010-04-01. */
  readonly extension?: string | undefined;
  /**
   * The `http` or `https` URL that is told how the validation ended, of up to 1000 characters. Only in 2010-04-01.
   * (`callerid serve` calls it; {@link MockApi} calls nobody.)
   */
  readonly statusCallback?: string | PlatformUrl | undefined;
  /** How `statusCallback` is called; `POST` where it is left out. */
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
  /** Rows on a page, 1 to 1000; 50 where it is left out. */
  readonly pageSize?: number | undefined;
}

/**
 * The typed client. Every method rejects with
 *
 * - {@link RestException} where the service refuses;
 * - {@link InvalidPhoneNumber} where a number is none, before anything is sent;
 * - `RangeError` where a name, a delay, a page size or a Sid cannot be, or an option is none of the version's, before
 *   anything is sent;
 * - {@link UnexpectedResponse} where something else answers;
 * - whatever `fetch` rejects with: a `TypeError` where there is no connection, the signal's `reason` where it is
 *   aborted.
 */
export class CallerIdClient {
  /** @throws {RangeError} where the Sid, the token or the address cannot be, or there is no such version. */
  constructor(options: ClientOptions);

  /** Begins the validation of a number: the answer has the code to show, and the phone rings. */
  create(parameters: CreateParameters, options?: RequestOptions): Promise<ValidationRequest>;
  /** Reads a page of the caller IDs, newest `dateUpdated` first. */
  list(parameters?: ListParameters, options?: RequestOptions): Promise<CallerIdPage>;
  /** Every caller ID, page by page as they are asked for. `pageSize` is how many are read at once. */
  listAll(
    parameters?: ListFilter & { readonly pageSize?: number | undefined },
    options?: RequestOptions,
  ): AsyncGenerator<OutgoingCallerId, void, undefined>;
  /** Reads one caller ID. */
  fetch(sid: string, options?: RequestOptions): Promise<OutgoingCallerId>;
  /** Renames a caller ID; the empty name sets the default one. */
  update(
    sid: string,
    parameters: { readonly friendlyName: string },
    options?: RequestOptions,
  ): Promise<OutgoingCallerId>;
  /** Deletes a caller ID. */
  delete(sid: string, options?: RequestOptions): Promise<void>;
}

// ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Where a call stands, in the vendor's words. `queued`, `ringing` and `in-progress` are live. `completed` is over after
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
  /** Changes were missed that are no longer kept: read the lists anew. */
  | { readonly type: "reset"; readonly id: string };

/** What {@link CallControl.events} takes. */
export interface EventsOptions extends RequestOptions {
  /** Begin after this change; where it is left out, with what changes from now on. */
  readonly lastEventId?: string | undefined;
  /**
   * Called when the stream is open, with the id that it begins after, and at every sign of life (about every 15 s
   * where nothing changes): a stream that has been silent for longer is dead.
   */
  readonly onAlive?: ((lastEventId: string | undefined) => void) | undefined;
}

/**
 * The project's own control surface, under `/_callerid/`: whoever has the account's credentials can be the phone.
 * It is the same over `callerid serve` and over {@link MockApi.fetch}; the vendor has none. Methods reject as those of
 * {@link CallerIdClient}; what cannot happen to a call as it stands is a {@link RestException} with status 409.
 */
export class CallControl {
  /** @throws {RangeError} where the Sid, the token or the address cannot be. */
  constructor(options: ConnectionOptions);

  /**
   * Whether the service answers, which version it is, and what its phone line is called: `"virtual"` where no phone rings
   * but the one that this control answers.
   */
  health(options?: RequestOptions): Promise<{ status: "ok"; version: string; line: string }>;
  /** The account's calls, newest first: every live one, and the last hundred that have ended. */
  calls(options?: RequestOptions): Promise<Call[]>;
  /** One of them. */
  call(sid: string, options?: RequestOptions): Promise<Call>;
  /** Answers a ringing call. */
  answer(sid: string, options?: RequestOptions): Promise<Call>;
  /** Presses keys, one or several of `0` to `9`, `*` (begin again) and `#` (end the entry). */
  press(sid: string, digits: string, options?: RequestOptions): Promise<Call>;
  /** Hangs up; declines a call that is ringing. */
  hangUp(sid: string, options?: RequestOptions): Promise<Call>;
  /** The line of a ringing call is busy. */
  busy(sid: string, options?: RequestOptions): Promise<Call>;
  /** Nobody answers a ringing call. */
  noAnswer(sid: string, options?: RequestOptions): Promise<Call>;
  /**
   * Follows the account's changes. The request is sent at the first `next()`. It ends when the server ends the stream and
   * rejects when the connection is lost: begin again after the last `id` to miss nothing.
   */
  events(options?: EventsOptions): AsyncGenerator<Change, void, undefined>;
}

// ── The mock ────────────────────────────────────────────────────────────────────────────────────────────────────

/** A caller ID that a mock begins with. */
export interface SeedCallerId {
  /** The number, in any format. */
  readonly phoneNumber: string | PhoneNumber;
  /** Its default is the number nicely formatted. */
  readonly friendlyName?: string | undefined;
  /** Made from the entropy where it is left out. */
  readonly sid?: string | undefined;
  /** The mock's present where it is left out. */
  readonly dateCreated?: Date | undefined;
  /** `dateCreated` where it is left out. */
  readonly dateUpdated?: Date | undefined;
}

/** How a mock begins. */
export interface MockApiOptions {
  /** The account that may ask; made from the entropy where it is left out. */
  readonly accountSid?: string | undefined;
  /** Its token; made from the entropy where it is left out. */
  readonly authToken?: string | undefined;
  /** The caller IDs it has. */
  readonly seed?: readonly SeedCallerId[] | undefined;
  /**
   * A test clock: it stands at this moment until {@link MockApi.advance} moves it. Where it is left out the mock goes
   * by `Date.now` and `setTimeout`.
   */
  readonly now?: Date | undefined;
  /** Fills the bytes that Sids and codes are made from; `crypto.getRandomValues` where it is left out. */
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
 * A call as whoever holds the phone sees it. What cannot happen to it as it stands is thrown as a {@link RestException}
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

/**
 * The whole API in this process: the server's own rules over a store in memory, behind a `fetch`.
 *
 * It is freed with the page or the process, and by the garbage collector; {@link free} and `using` do it at once.
 */
export class MockApi {
  /** @throws {RangeError} or {InvalidPhoneNumber} where an option cannot be. */
  constructor(options?: MockApiOptions);

  /** The account that may ask. */
  readonly accountSid: string;
  /** Its token. */
  readonly authToken: string;
  /** What time it is for the mock. */
  readonly now: Date;

  /**
   * Answers a request as the server does, whatever its origin: the API, and the control surface under `/_callerid/` with
   * its stream of events. It can be passed around by itself.
   */
  readonly fetch: PlatformFetch;

  /**
   * The phone with that number, in any format.
   *
   * @throws {InvalidPhoneNumber} where it is none.
   */
  phone(phoneNumber: string | PhoneNumber): MockPhone;

  /** Moves a test clock on; what was due on the way has happened when it returns. */
  advance(milliseconds: number): void;

  /** All it holds, as bytes that {@link restore} takes, in this process or another. They hold the token and live codes. */
  snapshot(): Uint8Array;
  /**
   * Goes back to a snapshot: account, caller IDs, calls and changes. With a test clock the time stays.
   * Streams of events that are open go on from there with a `reset`.
   *
   * @throws {RangeError} where it is no snapshot, or one of another version.
   */
  restore(snapshot: Uint8Array): void;

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

  /** Ends its streams and timers and gives its memory back. It cannot be used afterwards; a second time does nothing. */
  free(): void;
}

// `using mock = new MockApi()`, where the library that is loaded knows `Symbol.dispose`.
type Disposes = SymbolConstructor extends { readonly dispose: infer Dispose extends symbol }
  ? { [Key in Dispose]: () => void }
  : unknown;
export interface MockApi extends Disposing {}
interface Disposing extends Pick<Disposes, keyof Disposes> {}
