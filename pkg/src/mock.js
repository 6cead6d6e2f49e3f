import { RestException } from "./errors.js";
import { EventReader, toCall, toChange } from "./events.js";
import { PhoneNumber } from "./phone-number.js";
import { core, encoder, texts } from "./wasm.js";

/** @import { Call, Change, RequestOptions } from "./client-types.js" */
/** @import { Account, Events } from "./glue.js" */
/** @import { MockApiOptions, MockCall, MockEventTarget, MockPhone } from "./mock-types.js" */
/** @import { PlatformFetch } from "./platform.js" */

/** How often a stream of events says that it is alive, as the server does. */
const HEARTBEAT_MILLISECONDS = 15_000;

class CallEvent extends Event {
  /** @param {MockCall} call */
  constructor(call) {
    super("call");
    this.call = call;
  }
}

class ChangeEvent extends Event {
  /** @param {Change} change */
  constructor(change) {
    super("change");
    this.change = change;
  }
}

/** @typedef {{ request: unknown, pull(): void, beat(): void, abort(): void, end(): void }} OpenStream */

const MockEvents = /** @type {new () => MockEventTarget} */ (/** @type {unknown} */ (EventTarget));

/**
 * The whole API in this process: the server's own rules over a store in memory, behind a `fetch`.
 *
 * It is freed with the page or the process, and by the garbage collector; {@link free} and `using` do it at once.
 */
export class MockApi extends MockEvents {
  #core;
  #entropy;
  #code;
  /**
   * The test clock, if there is one.
   *
   * @type {number | undefined}
   */
  #time;
  /** @type {Account} */
  #account;
  /** What changed, for the listeners. */
  #changes;
  #reader = new EventReader();
  /** @type {Change[]} */
  #queue = [];
  #isDispatching = false;
  #isFreed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #heartbeat;
  /** @type {Set<OpenStream>} */
  #streams = new Set();
  /**
   * Those who wait for a call: they keep the process alive.
   *
   * @type {Set<(reason: unknown) => void>}
   */
  #waiting = new Set();

  /**
   * @param {MockApiOptions} [options]
   * @throws {RangeError} or {InvalidPhoneNumber} if an option is invalid.
   */
  constructor({ accountSid, authToken, seed = [], now, entropy, validationCode } = {}) {
    super();
    this.#entropy = entropy ?? ((bytes) => crypto.getRandomValues(/** @type {Uint8Array<ArrayBuffer>} */ (bytes)));
    this.#code = validationCode === undefined ? undefined : String(validationCode);
    this.#time = now === undefined ? undefined : now.getTime();
    this.#core = new (core().Mock)(texts({ accountSid, authToken }), this.#random(32));
    for (const { phoneNumber, friendlyName, sid, dateCreated, dateUpdated } of seed) {
      const created = dateCreated?.getTime() ?? this.#now();
      const updated = dateUpdated?.getTime() ?? created;
      const number = PhoneNumber.parse(phoneNumber.toString());
      this.#core.seed(texts({ phoneNumber: number, friendlyName, sid }), this.#random(16), created, updated);
    }
    this.#account = this.#core.account();
    this.#changes = this.#core.watch();
    this.#reader.read(this.#core.catchUp(this.#changes));
  }

  /** The account that may ask. */
  get accountSid() {
    return this.#account.accountSid;
  }

  /** Its token. */
  get authToken() {
    return this.#account.authToken;
  }

  /** What time it is for the mock. */
  get now() {
    return new Date(this.#now());
  }

  /**
   * Answers a request as the server does, whatever its origin: the API, and the control surface under `/_callerid/` with
   * its stream of events. It can be passed around by itself.
   *
   * @readonly
   * @type {PlatformFetch}
   */
  fetch = async (input, init) => {
    const request = new Request(input, init);
    request.signal?.throwIfAborted();
    const body = new Uint8Array(await request.arrayBuffer());
    request.signal?.throwIfAborted();
    const { pathname, search } = new URL(request.url);
    const asked = {
      method: request.method,
      path: pathname,
      query: search.slice(1),
      authorization: request.headers.get("authorization"),
      contentEncoding: request.headers.get("content-encoding"),
      contentType: request.headers.get("content-type"),
      lastEventId: request.headers.get("last-event-id"),
    };
    const { status, headers, body: answer } = this.#respond(asked, body);
    const content = answer instanceof Uint8Array ? (answer.length > 0 ? answer : null) : this.#stream(answer, request);
    return new Response(content, { status, headers });
  };

  /**
   * The phone with that number, in any format.
   *
   * @param {string | PhoneNumber} phoneNumber
   * @returns {MockPhone}
   * @throws {InvalidPhoneNumber} if it is invalid.
   */
  phone(phoneNumber) {
    const number = PhoneNumber.parse(phoneNumber.toString()).toString();
    /** @param {RequestOptions} [options] */
    const rings = (options) => this.#rings(number, options);
    return Object.freeze({ phoneNumber: number, rings });
  }

  /**
   * Moves a test clock on; what was due on the way has happened when it returns.
   *
   * @param {number} milliseconds
   */
  advance(milliseconds) {
    if (this.#time === undefined) throw new Error("this mock goes by the platform's clock: give it a `now` to advance from");
    if (!(milliseconds >= 0)) throw new RangeError(`a clock goes forward: ${milliseconds} ms`);
    const until = this.#time + milliseconds;
    // Step by step, so that everything happens at its moment.
    for (let next; (next = this.#core.tick(this.#time)) !== undefined && next <= until; ) {
      this.#time = Math.max(this.#time, next);
      this.#settle();
    }
    this.#time = until;
    this.#settle();
  }

  /**
   * All it holds, as bytes that {@link restore} takes, in this process or another. They hold the token and live codes.
   *
   * @returns {Uint8Array}
   */
  snapshot() {
    return this.#core.snapshot();
  }

  /**
   * Goes back to a snapshot: account, caller IDs, calls and changes. With a test clock the time stays.
   * Streams of events that are open go on from there with a `reset`.
   *
   * @param {Uint8Array} snapshot
   * @throws {RangeError} if it is not a snapshot, or one of another version.
   */
  restore(snapshot) {
    this.#core.restore(snapshot);
    this.#account = this.#core.account();
    this.#settle();
  }

  /** Ends its streams and timers and gives its memory back. It cannot be used afterwards; a second time does nothing. */
  free() {
    if (this.#isFreed) return;
    this.#isFreed = true;
    clearTimeout(this.#timer);
    for (const stream of this.#streams) stream.end();
    for (const end of this.#waiting) end(new Error("the mock was freed"));
    this.#changes.free();
    this.#core.free();
  }

  /**
   * For `using`. Where the engine has no such symbol this is called "undefined", by nobody: written otherwise, bundlers would
   * keep the class even if it is not used.
   *
   * @internal
   */
  // @ts-expect-error: `MockEventTarget` has it as a property, if the library that is loaded has the symbol.
  [Symbol.dispose]() {
    this.free();
  }

  #now() {
    return this.#time ?? Date.now();
  }

  /** @param {number} length */
  #random(length) {
    const bytes = new Uint8Array(length);
    this.#entropy(bytes);
    return bytes;
  }

  /**
   * @param {object} asked
   * @param {Uint8Array} body
   */
  #respond(asked, body) {
    if (this.#isFreed) throw new Error("the mock was freed");
    this.#settle();
    const request = { ...asked, validationCode: this.#code };
    const answer = this.#core.respond(request, body, this.#now(), this.#random(80));
    this.#settle();
    return answer;
  }

  /**
   * A request to the control surface, from here.
   *
   * @param {string} method
   * @param {string} target Path and query below `/_callerid/`.
   * @param {string} [body]
   */
  #control(method, target, body = "") {
    const [path, query] = target.split("?");
    const asked = { method, path: `/_callerid/${path}`, query, authorization: this.#account.authorization };
    const { status, body: answer } = this.#respond(asked, encoder.encode(body));
    const json = JSON.parse(new TextDecoder().decode(/** @type {Uint8Array} */ (answer)));
    if (status >= 300) throw new RestException(status, json.message, json.code, json.more_info);
    return json;
  }

  /**
   * @param {Call} call
   * @returns {MockCall}
   */
  #toMockCall(call) {
    /** @type {(action: string, body?: string) => MockCall} */
    const be = (action, body) => this.#toMockCall(toCall(this.#control("POST", `calls/${call.callSid}/${action}`, body)));
    return Object.assign(new MockedCall(be), call);
  }

  /** Does what is due, tells of what changed, and comes back when something is next. */
  #settle() {
    const next = this.#core.tick(this.#now());
    clearTimeout(this.#timer);
    if (next !== undefined && this.#time === undefined) {
      this.#timer = setTimeout(() => this.#settle(), Math.max(0, next - Date.now()));
      if (this.#waiting.size === 0) unref(this.#timer);
    }
    for (const stream of this.#streams) stream.pull();
    for (const event of this.#reader.read(this.#core.catchUp(this.#changes))) {
      const change = toChange(event);
      if (change) this.#queue.push(change);
    }
    // A listener may change more: that is told after what came before it.
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    for (let change; (change = this.#queue.shift()) !== undefined; ) {
      this.dispatchEvent(new ChangeEvent(change));
      if (change.type === "call" && change.call.status === "ringing") this.dispatchEvent(new CallEvent(this.#toMockCall(change.call)));
    }
    this.#isDispatching = false;
  }

  /**
   * @param {string} number
   * @param {RequestOptions} [options]
   * @returns {Promise<MockCall>}
   */
  #rings(number, { signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      /** @type {Call[]} */
      const calls = [];
      let page = "calls?num=1000";
      while (page) {
        const { calls: rows, next_page_uri: next } = this.#control("GET", page);
        calls.push(...rows.map(toCall));
        page = next?.replace("/_callerid/", "");
      }
      const ringing = calls.find((call) => call.phoneNumber === number && call.status === "ringing");
      if (ringing) return resolve(this.#toMockCall(ringing));
      const done = () => {
        this.removeEventListener("call", rings);
        signal?.removeEventListener("abort", aborted);
        this.#waiting.delete(end);
        if (this.#waiting.size === 0) unref(this.#timer);
      };
      /** @param {{ call: MockCall }} event */
      const rings = ({ call }) => {
        if (call.phoneNumber !== number) return;
        done();
        resolve(call);
      };
      /** @param {unknown} reason */
      const end = (reason) => {
        done();
        reject(reason);
      };
      const aborted = () => end(signal?.reason);
      this.addEventListener("call", rings);
      signal?.addEventListener("abort", aborted);
      this.#waiting.add(end);
      ref(this.#timer);
    });
  }

  /**
   * @param {Events} events
   * @param {Request} request
   */
  #stream(events, request) {
    const { signal } = request;
    /** @type {OpenStream} */
    let stream;
    const close = () => {
      if (!this.#streams.delete(stream)) return;
      signal?.removeEventListener("abort", stream.abort);
      events.free();
      if (this.#streams.size === 0) clearInterval(this.#heartbeat);
    };
    return new ReadableStream({
      start: (controller) => {
        const isWanted = () => (controller.desiredSize ?? 0) > 0;
        /** @param {string} text */
        const send = (text) => text && isWanted() && controller.enqueue(encoder.encode(text));
        stream = {
          // In Node the signal of a request goes deaf once the request is collected.
          request,
          pull: () => isWanted() && send(this.#core.catchUp(events)),
          beat: () => send(":\n\n"),
          abort: () => {
            close();
            controller.error(signal.reason);
          },
          end: () => {
            close();
            controller.close();
          },
        };
        if (this.#streams.size === 0) {
          this.#heartbeat = setInterval(() => this.#streams.forEach((each) => each.beat()), HEARTBEAT_MILLISECONDS);
          unref(this.#heartbeat);
        }
        this.#streams.add(stream);
        signal?.addEventListener("abort", stream.abort);
      },
      pull: () => stream.pull(),
      cancel: close,
    });
  }
}

/** What can be done to a call. */
class MockedCall {
  #be;

  /** @param {(action: string, body?: string) => MockCall} be */
  constructor(be) {
    this.#be = be;
  }

  answer() {
    return this.#be("answer");
  }

  /** @param {string} digits */
  press(digits) {
    return this.#be("digits", String(new URLSearchParams({ Digits: digits })));
  }

  decline() {
    return this.#be("busy");
  }

  hangUp() {
    return this.#be("hangup");
  }

  noAnswer() {
    return this.#be("no-answer");
  }
}

// A timer keeps a process alive, and only where somebody waits for a call should it.
/** @param {any} timer */
function unref(timer) {
  if (typeof timer === "number") globalThis.Deno?.unrefTimer?.(timer);
  else timer?.unref?.();
}

/** @param {any} timer */
function ref(timer) {
  if (typeof timer === "number") globalThis.Deno?.refTimer?.(timer);
  else timer?.ref?.();
}
