import { RestException } from "./errors.js";
import { EventReader, toCall, toChange } from "./events.js";
import { PhoneNumber } from "./phone-number.js";
import { core, encoder, texts } from "./wasm.js";

/** How often a stream of events says that it is alive, as the server does. */
const HEARTBEAT_MILLISECONDS = 15_000;

class CallEvent extends Event {
  constructor(call) {
    super("call");
    this.call = call;
  }
}

class ChangeEvent extends Event {
  constructor(change) {
    super("change");
    this.change = change;
  }
}

export class MockApi extends EventTarget {
  #core;
  #entropy;
  #code;
  /** The test clock, where there is one. */
  #time;
  /** Its Sid, its token, and the `Authorization` header that carries both. */
  #account;
  /** What changed, for the listeners. */
  #changes;
  #reader;
  #queue = [];
  #isDispatching = false;
  #timer;
  #heartbeat;
  #streams = new Set();
  /** Those who wait for a call: they keep the process alive. */
  #waiting = new Set();

  constructor({ accountSid, authToken, seed = [], now, entropy, validationCode } = {}) {
    super();
    this.#entropy = entropy ?? ((bytes) => crypto.getRandomValues(bytes));
    this.#code = validationCode === undefined ? undefined : String(validationCode);
    this.#time = now === undefined ? undefined : now.getTime();
    this.#core = new (core().Mock)(texts({ accountSid, authToken }), this.#random(32));
    for (const { phoneNumber, friendlyName, sid, dateCreated, dateUpdated } of seed) {
      const number = PhoneNumber.parse(phoneNumber.toString());
      const created = dateCreated?.getTime() ?? this.#now();
      const updated = dateUpdated?.getTime() ?? created;
      this.#core.seed(texts({ phoneNumber: number, friendlyName, sid }), this.#random(16), created, updated);
    }
    this.#account = this.#core.account();
    this.#watch();
  }

  get accountSid() {
    return this.#account.accountSid;
  }

  get authToken() {
    return this.#account.authToken;
  }

  get now() {
    return new Date(this.#now());
  }

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
      contentType: request.headers.get("content-type"),
      lastEventId: request.headers.get("last-event-id"),
    };
    const { status, headers, body: answer } = this.#respond(asked, body);
    const content = answer instanceof Uint8Array ? (answer.length > 0 ? answer : null) : this.#stream(answer, request);
    return new Response(content, { status, headers });
  };

  phone(phoneNumber) {
    const number = PhoneNumber.parse(phoneNumber.toString()).toString();
    return Object.freeze({ phoneNumber: number, rings: (options) => this.#rings(number, options) });
  }

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

  snapshot() {
    return this.#core.snapshot();
  }

  restore(snapshot) {
    this.#core.restore(snapshot);
    this.#account = this.#core.account();
    this.#settle();
  }

  free() {
    if (this.#core === undefined) return;
    clearTimeout(this.#timer);
    for (const stream of this.#streams) stream.end();
    for (const end of this.#waiting) end(new Error("the mock was freed"));
    this.#changes.free();
    this.#core.free();
    this.#core = undefined;
  }

  // For `using`. Where the engine has no such symbol this is called "undefined", by nobody: said otherwise, bundlers would keep
  // the class for whoever does not use it.
  [Symbol.dispose]() {
    this.free();
  }

  #now() {
    return this.#time ?? Date.now();
  }

  #random(length) {
    const bytes = new Uint8Array(length);
    this.#entropy(bytes);
    return bytes;
  }

  #respond(asked, body) {
    if (this.#core === undefined) throw new Error("the mock was freed");
    this.#settle();
    const request = { ...asked, validationCode: this.#code };
    const answer = this.#core.respond(request, body, this.#now(), this.#random(80));
    this.#settle();
    return answer;
  }

  /** A request to the control surface, from here. */
  #control(method, path, body = "") {
    const asked = { method, path: `/_callerid/${path}`, authorization: this.#account.authorization };
    const { status, body: answer } = this.#respond(asked, encoder.encode(body));
    const json = JSON.parse(new TextDecoder().decode(answer));
    if (status >= 300) throw new RestException(status, json.message, json.code, json.more_info);
    return json;
  }

  #toMockCall(call) {
    const be = (action, body) => this.#toMockCall(toCall(this.#control("POST", `calls/${call.callSid}/${action}`, body)));
    return new MockCall(be, call);
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
    this.#queue.push(...this.#reader.read(this.#core.catchUp(this.#changes)).map(toChange));
    // A listener may change more: that is told after what came before it.
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    for (let change; (change = this.#queue.shift()) !== undefined; ) {
      this.dispatchEvent(new ChangeEvent(change));
      if (change.call?.status === "ringing") this.dispatchEvent(new CallEvent(this.#toMockCall(change.call)));
    }
    this.#isDispatching = false;
  }

  #watch() {
    this.#changes = this.#core.watch();
    this.#reader = new EventReader();
    this.#reader.read(this.#core.catchUp(this.#changes));
  }

  #rings(number, { signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const { calls } = this.#control("GET", "calls");
      const ringing = calls.find((call) => call.phone_number === number && call.status === "ringing");
      if (ringing) return resolve(this.#toMockCall(toCall(ringing)));
      const done = () => {
        this.removeEventListener("call", rings);
        signal?.removeEventListener("abort", aborted);
        this.#waiting.delete(end);
        if (this.#waiting.size === 0) unref(this.#timer);
      };
      const rings = ({ call }) => {
        if (call.phoneNumber !== number) return;
        done();
        resolve(call);
      };
      const end = (reason) => {
        done();
        reject(reason);
      };
      const aborted = () => end(signal.reason);
      this.addEventListener("call", rings);
      signal?.addEventListener("abort", aborted);
      this.#waiting.add(end);
      ref(this.#timer);
    });
  }

  #stream(events, request) {
    const { signal } = request;
    let stream;
    const close = () => {
      if (!this.#streams.delete(stream)) return;
      signal?.removeEventListener("abort", stream.abort);
      events.free();
      if (this.#streams.size === 0) clearInterval(this.#heartbeat);
    };
    return new ReadableStream({
      start: (controller) => {
        const send = (text) => text && controller.desiredSize > 0 && controller.enqueue(encoder.encode(text));
        stream = {
          // In Node the signal of a request goes deaf once the request is collected.
          request,
          pull: () => controller.desiredSize > 0 && send(this.#core.catchUp(events)),
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
      pull: () => void stream.pull(),
      cancel: close,
    });
  }
}

class MockCall {
  #be;

  constructor(be, call) {
    this.#be = be;
    Object.assign(this, call);
  }

  answer() {
    return this.#be("answer");
  }

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
function unref(timer) {
  if (typeof timer === "number") globalThis.Deno?.unrefTimer?.(timer);
  else timer?.unref?.();
}

function ref(timer) {
  if (typeof timer === "number") globalThis.Deno?.refTimer?.(timer);
  else timer?.ref?.();
}
