import { RestException } from "../errors.js";
import { EventReader, toCall, toChange } from "../events.js";
import { sleep } from "../http.js";
import { PhoneNumber } from "../phone-number.js";
import { Calls, Clock, Codes, Faults, Requests, seedDocument, toWire } from "./test-control.js";
import { encoder, mock, texts } from "../wasm.js";

/** @import { Call, Change, RequestOptions } from "../client-types.js" */
/** @import { Account, Delivery, DueCallback, Events } from "./glue.js" */
/** @import { MockApiOptions, MockCall, MockEventTarget, MockPhone, PhoneScript, Seed } from "../mock-types.js" */
/** @import { PlatformFetch } from "../platform.js" */

/** The interval of an event stream's heartbeats, the same as the server's. */
const HEARTBEAT_MILLISECONDS = 15_000;

/** How long `rings()` waits for a call that is due later, while nobody advances the test clock. Test runners give up after five seconds. */
const LONGEST_STANDSTILL_MILLISECONDS = 3_000;

/** How often a held response looks whether it may go. */
const LOOK_EVERY_MILLISECONDS = 20;

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
 * The garbage collector frees its memory; {@link free} and `using` free it at once.
 */
export class MockApi extends MockEvents {
  #core;
  #entropy;
  #code;
  /**
   * The time of the test clock, if any, in milliseconds.
   *
   * @type {number | undefined}
   */
  #time;
  /** @type {Account} */
  #account;
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
   * Rejects the pending `rings()` promises. While there are any, the timer keeps the process alive.
   *
   * @type {Set<(reason: unknown) => void>}
   */
  #waiting = new Set();
  /**
   * The status callbacks that are being sent, by the Sid of their call.
   *
   * @type {Map<string, Promise<void>>}
   */
  #sending = new Map();
  /**
   * The requests that wait for a change of their account.
   *
   * @type {Set<{ look(): void, end(reason: unknown): void }>}
   */
  #waits = new Set();

  /**
   * @param {MockApiOptions} [options]
   * @throws {RangeError} or {InvalidPhoneNumber} if an option is invalid.
   */
  constructor({ accountSid, authToken, seed = [], now, entropy, validationCode, onStatusCallback } = {}) {
    super();
    /**
     * Receives the status callbacks, signed as the server signs them. Its response counts as the receiver's: after one other than 200
     * to 299, or after an error, the callback is sent again by the mock's clock. No response counts as 200. If absent, callbacks are not
     * sent.
     *
     * @type {MockApiOptions["onStatusCallback"]}
     */
    this.onStatusCallback = onStatusCallback;
    this.#entropy = entropy ?? ((bytes) => crypto.getRandomValues(/** @type {Uint8Array<ArrayBuffer>} */ (bytes)));
    this.#code = validationCode === undefined ? undefined : String(validationCode);
    this.#time = now === undefined ? undefined : now.getTime();
    this.#core = new (mock().Mock)(texts({ accountSid, authToken }), seedDocument({ callerIds: seed }), this.#now(), this.#random(112));
    this.#account = this.#core.account();
    this.#changes = this.#core.watch(this.#account.accountSid);
    this.#reader.read(this.#core.catchUp(this.#changes));
    /** @type {import("./test-control.js").Control} */
    const control = (method, target, body) => this.#control(method, target, body);
    /**
     * The account's clock. It can be set apart from `now` and from the platform's clock.
     *
     * @readonly
     */
    this.clock = new Clock(control);
    /**
     * Requests that go wrong on purpose.
     *
     * @readonly
     */
    this.faults = new Faults(control);
    /**
     * The last 1,000 requests of the API.
     *
     * @readonly
     */
    this.requests = new Requests(control);
    /**
     * The codes of live validations.
     *
     * @readonly
     */
    this.codes = new Codes(control);
    /**
     * The account's calls.
     *
     * @readonly
     */
    this.calls = new Calls((query, signal) => this.#awaitCall(query, signal));
  }

  /** The Sid of the mock's account. */
  get accountSid() {
    return this.#account.accountSid;
  }

  /** The auth token of the mock's account. */
  get authToken() {
    return this.#account.authToken;
  }

  /** The mock's current time. */
  get now() {
    return new Date(this.#core.accountNow(this.#now()));
  }

  /**
   * Answers a request as the server does, for any origin: the API, and the control surface under `/_callerid/` with
   * its event stream. It is bound to the mock, so it can be passed as a function.
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
    const reply = await this.#matched(asked, body, request.signal);
    if (reply.delivery) await this.#deliver(reply.delivery, request.signal);
    const { status, headers, body: answer, delivery } = reply;
    if (!(answer instanceof Uint8Array)) return new Response(this.#stream(answer, request), { status, headers });
    const content = answer.length === 0 ? null : delivery?.drop === "mid_body" ? halfOf(answer) : answer;
    return new Response(content, { status, headers });
  };

  /**
   * Returns the phone with this number, which can be in any format.
   *
   * @param {string | PhoneNumber} phoneNumber
   * @returns {MockPhone}
   * @throws {InvalidPhoneNumber} if the number is invalid.
   */
  phone(phoneNumber) {
    const number = PhoneNumber.parse(phoneNumber.toString()).toString();
    /** @param {RequestOptions} [options] */
    const rings = (options) => this.#rings(number, options);
    /** @param {PhoneScript} script */
    const will = (script) => void this.#control("PUT", `phones/${number}`, toWire({ script }));
    return Object.freeze({ phoneNumber: number, rings, will });
  }

  /**
   * Adds caller IDs, codes and scripts of phones: all of them, or none if there is an error. They replace those of the same number.
   *
   * @param {Seed} seed
   * @throws {RestException} or {InvalidPhoneNumber} if a value is invalid. The message names its place.
   */
  seed(seed) {
    this.#control("POST", "seed", seedDocument(seed));
  }

  /**
   * Resets the account to its `seed`: its calls, changes, faults, scripts, codes and requests are gone. Its clock stays.
   */
  reset() {
    this.#control("POST", "reset");
  }

  /**
   * Advances the test clock. Everything that becomes due has happened when it returns.
   *
   * @param {number} milliseconds
   */
  advance(milliseconds) {
    if (this.#time === undefined) throw new Error("this mock goes by the platform's clock: give it a `now` to advance from");
    if (!(milliseconds >= 0)) throw new RangeError(`a clock goes forward: ${milliseconds} ms`);
    const until = this.#time + milliseconds;
    // In steps, so that each event happens at its own time.
    for (let next; (next = this.#tick()) !== undefined && next <= until; ) {
      this.#time = Math.max(this.#time, next);
      this.#settle();
    }
    this.#time = until;
    this.#settle();
  }

  /** Resolves when no status callback is being sent. Those that are sent again later do not count. */
  async callbacksSent() {
    while (this.#sending.size > 0) await Promise.all(this.#sending.values());
  }

  /**
   * Serializes the whole state, for {@link restore} in this process or another. The bytes include the token and live codes.
   *
   * @returns {Uint8Array}
   */
  snapshot() {
    return this.#core.snapshot();
  }

  /**
   * Restores a snapshot: account, caller IDs, calls and changes, but not the time of a test clock.
   * Open event streams continue with a `reset`.
   *
   * @param {Uint8Array} snapshot
   * @throws {RangeError} if it is not a snapshot of this version.
   */
  restore(snapshot) {
    this.#core.restore(snapshot);
    this.#account = this.#core.account();
    this.#settle();
  }

  /** Ends all streams and timers and frees the memory. The mock cannot be used afterwards. Further calls do nothing. */
  free() {
    if (this.#isFreed) return;
    this.#isFreed = true;
    clearTimeout(this.#timer);
    for (const stream of this.#streams) stream.end();
    for (const end of this.#waiting) end(new Error("the mock was freed"));
    for (const wait of this.#waits) wait.end(new Error("the mock was freed"));
    this.#changes.free();
    this.#core.free();
  }

  /**
   * For `using`. In engines without the symbol, the method's name is "undefined" and it is never called. An assignment
   * after the class would avoid that, but keep bundlers from dropping the class if it is unused.
   *
   * @internal
   */
  // @ts-expect-error: `MockEventTarget` has it as a property, if the loaded type library has the symbol.
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
   * Advances the clock of an account by a step, so that each event happens at its own time. Returns whether it shows the time `to`.
   *
   * @param {string} account
   * @param {number} to
   */
  #advanceAccount(account, to) {
    const isDone = this.#core.advance(account, to, this.#now());
    this.#settle();
    return isDone;
  }

  /**
   * Responds to a request. If it waits until something matches, it is asked again whenever its account has changed. If it advances a
   * clock, the status callbacks that become due are sent, each at its own time.
   *
   * @param {object} asked
   * @param {Uint8Array} body
   * @param {RequestOptions["signal"]} [signal]
   */
  async #matched(asked, body, signal) {
    let answer = this.#respond(asked, body);
    const { account, waitSeconds, advanceTo } = answer.followUp ?? {};
    if (account && advanceTo) {
      do await this.callbacksSent();
      while (!this.#advanceAccount(account, advanceTo));
      await this.callbacksSent();
    }
    if (!account || !waitSeconds) return answer;
    const changes = this.#core.watch(account);
    const until = Date.now() + waitSeconds * 1000;
    try {
      while (answer.followUp && Date.now() < until) {
        await this.#changed(changes, until - Date.now(), signal);
        answer = this.#respond(asked, body);
      }
    } finally {
      changes.free();
    }
    return answer;
  }

  /**
   * Sends a request to the mock's own control surface.
   *
   * @param {string} method
   * @param {string} target Path and query, without `/_callerid/`.
   * @param {string} [body]
   */
  #control(method, target, body = "") {
    const [path, query] = target.split("?");
    const asked = { method, path: `/_callerid/${path}`, query, authorization: this.#account.authorization };
    const answer = this.#respond(asked, encoder.encode(body));
    const { account, advanceTo } = answer.followUp ?? {};
    if (account && advanceTo) while (!this.#advanceAccount(account, advanceTo));
    return json(answer);
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

  /**
   * @param {string} query
   * @param {RequestOptions["signal"]} [signal]
   */
  async #awaitCall(query, signal) {
    for (;;) {
      const asked = { method: "GET", path: "/_callerid/calls", query, authorization: this.#account.authorization };
      signal?.throwIfAborted();
      const [call] = json(await this.#matched(asked, new Uint8Array(), signal)).calls;
      if (call) return this.#toMockCall(toCall(call));
    }
  }

  /**
   * Waits until an account has changed, but only so long.
   *
   * @param {Events} changes
   * @param {number} milliseconds
   * @param {RequestOptions["signal"]} [signal]
   * @returns {Promise<void>}
   */
  #changed(changes, milliseconds, signal) {
    return new Promise((resolve, reject) => {
      /** @param {() => void} settle */
      const done = (settle) => {
        clearTimeout(timer);
        this.#waits.delete(wait);
        signal?.removeEventListener("abort", aborted);
        settle();
      };
      const wait = {
        look: () => this.#core.catchUp(changes) && done(resolve),
        /** @param {unknown} reason */
        end: (reason) => done(() => reject(reason)),
      };
      const aborted = () => wait.end(signal?.reason);
      const timer = setTimeout(() => done(resolve), milliseconds);
      this.#waits.add(wait);
      signal?.addEventListener("abort", aborted);
    });
  }

  /**
   * Delays, holds or loses a response, as a fault says.
   *
   * @param {Delivery} delivery
   * @param {AbortSignal} signal
   */
  async #deliver({ account, delayMs, heldBy, drop }, signal) {
    if (delayMs > 0) await sleep(delayMs, signal);
    const isHeld = () => {
      if (this.#isFreed) throw new Error("the mock was freed");
      return heldBy !== null && this.#core.isHeld(account ?? "", heldBy, this.#now());
    };
    while (isHeld()) await sleep(LOOK_EVERY_MILLISECONDS, signal);
    // As platforms do when a connection is lost.
    if (drop === "before" || drop === "after") throw new TypeError("fetch failed: the connection is dropped on purpose");
  }

  /** Does what is due. Returns when something is next. */
  #tick() {
    return this.#core.tick(this.#now(), this.onStatusCallback !== undefined);
  }

  /** Starts to send the status callbacks that are due. */
  #sendCallbacks() {
    if (!this.onStatusCallback) return;
    for (const callback of this.#core.dueCallbacks(this.#now())) {
      const { callSid } = callback;
      if (this.#sending.has(callSid)) callback.free();
      else this.#sending.set(callSid, this.#send(callback).finally(() => this.#sent(callSid)));
    }
  }

  /** @param {string} callSid */
  #sent(callSid) {
    this.#sending.delete(callSid);
    if (!this.#isFreed) this.#settle();
  }

  /**
   * Sends a status callback, and saves what became of it.
   *
   * @param {DueCallback} callback
   */
  async #send(callback) {
    const { method, url, headers, body } = this.#core.callbackRequest(callback);
    /** @type {(more?: Record<string, string>) => Promise<{ status: number, headers?: Headers }>} */
    const send = async (more) => (await this.onStatusCallback?.(new Request(url, { method, headers: { ...headers, ...more }, body }))) ?? { status: 200 };
    let status;
    let why;
    try {
      // Not at once: the request that ends the call comes first.
      await undefined;
      let response = await send();
      const authorization = callback.authorizationFor(response.status, response.headers?.get("www-authenticate") ?? "");
      if (authorization) response = await send({ authorization });
      status = response.status;
    } catch (error) {
      why = String(error);
    }
    if (this.#isFreed) callback.free();
    else this.#core.callbackSent(callback, status, why, this.#now());
  }

  /** Does what is due, dispatches events for changes, and schedules the next run. */
  #settle() {
    const next = this.#tick();
    this.#sendCallbacks();
    clearTimeout(this.#timer);
    if (next !== undefined && this.#time === undefined) {
      this.#timer = setTimeout(() => this.#settle(), Math.max(0, next - Date.now()));
      if (this.#waiting.size === 0) unref(this.#timer);
    }
    for (const stream of this.#streams) stream.pull();
    for (const wait of this.#waits) wait.look();
    for (const event of this.#reader.read(this.#core.catchUp(this.#changes))) {
      const change = toChange(event);
      if (change) this.#queue.push(change);
    }
    // If a listener causes more changes, the outer loop dispatches them, in order.
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    for (let change; (change = this.#queue.shift()) !== undefined; ) {
      this.dispatchEvent(new ChangeEvent(change));
      if (change.type === "call" && change.call.status === "ringing") this.dispatchEvent(new CallEvent(this.#toMockCall(change.call)));
    }
    this.#isDispatching = false;
  }

  /** The account's calls, newest first. */
  #calls() {
    /** @type {Call[]} */
    const calls = [];
    let page = "calls?num=1000";
    while (page) {
      const { calls: rows, next_page_uri: next } = this.#control("GET", page);
      calls.push(...rows.map(toCall));
      page = next?.replace("/_callerid/", "");
    }
    return calls;
  }

  /**
   * @param {string} number
   * @param {RequestOptions} [options]
   * @returns {Promise<MockCall>}
   */
  #rings(number, { signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const ringing = this.#calls().find((call) => call.phoneNumber === number && call.status === "ringing");
      if (ringing) return resolve(this.#toMockCall(ringing));
      /** @type {ReturnType<typeof setInterval> | undefined} */
      let standstill;
      const done = () => {
        clearInterval(standstill);
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
      let time = this.now.getTime();
      standstill = setInterval(() => {
        const call = time === this.now.getTime() && this.#calls().find((call) => call.phoneNumber === number && call.status === "queued");
        if (call) end(new Error(standsStill(call, time, this.#time === undefined ? "mock.clock.advance" : "mock.advance")));
        time = this.now.getTime();
      }, LONGEST_STANDSTILL_MILLISECONDS);
      // The platform's clock never stands still.
      if (this.#time === undefined && !this.clock.isFrozen) unref(standstill);
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
          // Kept, because in Node a request's signal stops firing once the request is garbage collected.
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

/** The methods of a call. */
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

/**
 * The document of a response of the control surface.
 *
 * @param {{ status: number, body: Uint8Array | Events }} response
 */
function json({ status, body }) {
  const document = JSON.parse(new TextDecoder().decode(/** @type {Uint8Array} */ (body)));
  if (status >= 300) throw new RestException(status, document.message, document.code, document.more_info);
  return document;
}

/**
 * The first half of a body, after which the stream fails.
 *
 * @param {Uint8Array} body
 */
function halfOf(body) {
  return new ReadableStream({
    start: (controller) => controller.enqueue(body.subarray(0, body.length / 2)),
    pull: (controller) => controller.error(new TypeError("terminated: the connection is dropped on purpose")),
  });
}

/**
 * @param {Call} call
 * @param {number} time
 * @param {string} advance
 */
function standsStill({ phoneNumber, dueAt }, time, advance) {
  const wait = dueAt.getTime() - time;
  return `${phoneNumber} rings in ${wait} ms of the mock's test clock, which nobody advances: call ${advance}(${wait})`;
}

// The timer should keep the process alive only while a `rings()` promise is pending.
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
