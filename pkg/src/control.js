import { EventReader, toCall, toChange } from "./events.js";
import { RestException, UnexpectedResponse } from "./errors.js";
import { sender } from "./http.js";
import { core, texts } from "./wasm.js";

/** @import { Call, Change, ConnectionOptions, EventsOptions, RequestOptions } from "./client-types.js" */
/** @import { PlatformResponse } from "./platform.js" */

/**
 * The project's own control surface, under `/_callerid/`: anyone with the account's credentials can be the phone.
 * It is the same over `callerid serve` and over {@link MockApi.fetch}; Twilio has none. Methods reject as those of
 * {@link CallerIdClient}; what cannot happen to a call as it stands is a {@link RestException} with status 409.
 */
export class CallControl {
  #authorization;
  #origin;
  #send;

  /**
   * @param {ConnectionOptions} options
   * @throws {RangeError} if the Sid, the token or the address is invalid.
   */
  constructor({ accountSid, authToken, baseUrl, fetch }) {
    const { origin, authorization } = core().clientConnection(texts({ accountSid, authToken, baseUrl }));
    this.#origin = origin;
    this.#authorization = authorization;
    this.#send = sender(fetch);
  }

  /**
   * Whether the service answers, which version it is, and what its phone line is called: `"virtual"` where no phone rings
   * but the one that this control answers.
   *
   * @param {RequestOptions} [options]
   * @returns {Promise<{ status: "ok", version: string, line: string }>}
   */
  health(options) {
    return this.#json("GET", "health", options);
  }

  /**
   * The account's calls, newest first: every live one, and the last hundred that have ended.
   *
   * @param {RequestOptions} [options]
   * @returns {Promise<Call[]>}
   */
  async calls(options) {
    /** @type {Call[]} */
    const calls = [];
    let page = "calls?num=1000";
    while (page) {
      const { calls: rows, next_page_uri: next } = await this.#json("GET", page, options);
      calls.push(...rows.map(toCall));
      page = next?.replace("/_callerid/", "");
    }
    return calls;
  }

  /**
   * One of them.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   * @returns {Promise<Call>}
   */
  async call(sid, options) {
    return toCall(await this.#json("GET", path(sid), options));
  }

  /**
   * Answers a ringing call.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   */
  answer(sid, options) {
    return this.#phone(sid, "answer", options);
  }

  /**
   * Presses keys, one or several of `0` to `9`, `*` (begin again) and `#` (end the entry).
   *
   * @param {string} sid
   * @param {string} digits
   * @param {RequestOptions} [options]
   */
  press(sid, digits, options) {
    return this.#phone(sid, "digits", options, String(new URLSearchParams({ Digits: digits })));
  }

  /**
   * Hangs up; declines a call that is ringing.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   */
  hangUp(sid, options) {
    return this.#phone(sid, "hangup", options);
  }

  /**
   * The line of a ringing call is busy.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   */
  busy(sid, options) {
    return this.#phone(sid, "busy", options);
  }

  /**
   * Nobody answers a ringing call.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   */
  noAnswer(sid, options) {
    return this.#phone(sid, "no-answer", options);
  }

  /**
   * Follows the account's changes. The request is sent at the first `next()`. It ends when the server ends the stream and
   * rejects when the connection is lost: begin again after the last `id` to miss nothing.
   *
   * @param {EventsOptions} [options]
   * @returns {AsyncGenerator<Change, void, undefined>}
   */
  async *events({ lastEventId, onAlive, signal } = {}) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "text/event-stream" };
    if (lastEventId !== undefined) headers["Last-Event-ID"] = lastEventId;
    const response = await this.#request("GET", "events", { signal }, undefined, headers);
    if (!response.ok) throw await refusal(response);
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
      throw unexpected(response, "no stream of events");
    }
    const reader = response.body.getReader();
    const events = new EventReader(lastEventId);
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const changes = events.read(decoder.decode(value, { stream: true }));
        onAlive?.(events.lastId);
        for (const event of changes) {
          const change = toChange(event);
          if (change) yield change;
        }
      }
    } finally {
      // Not awaited: a stream that has failed rejects, and that has been thrown already.
      reader.cancel().catch(() => {});
    }
  }

  /**
   * @param {string} sid
   * @param {string} action
   * @param {RequestOptions} [options]
   * @param {string} [body]
   * @returns {Promise<Call>}
   */
  async #phone(sid, action, options, body) {
    return toCall(await this.#json("POST", `${path(sid)}/${action}`, options, body));
  }

  /**
   * @param {string} method
   * @param {string} target
   * @param {RequestOptions} [options]
   * @param {string} [body]
   */
  async #json(method, target, { signal } = {}, body) {
    const headers = body ? { "Content-Type": "application/x-www-form-urlencoded" } : {};
    const response = await this.#request(method, target, { signal }, body, headers);
    if (!response.ok) throw await refusal(response);
    return json(response);
  }

  /**
   * @param {string} method
   * @param {string} target
   * @param {RequestOptions} options
   * @param {string | undefined} body
   * @param {Record<string, string>} headers
   */
  #request(method, target, { signal }, body, headers) {
    const init = { method, headers: { Authorization: this.#authorization, ...headers }, ...(body && { body }) };
    return this.#send(`${this.#origin}/_callerid/${target}`, init, signal);
  }
}

/** @param {string} sid */
function path(sid) {
  return `calls/${encodeURIComponent(sid)}`;
}

/** @param {PlatformResponse} response */
async function refusal(response) {
  const body = await json(response);
  if (typeof body?.message !== "string") return unexpected(response, "no error of the control surface");
  return new RestException(response.status, body.message, body.code, body.more_info);
}

/** @param {PlatformResponse} response */
async function json(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unexpected(response, "no JSON", { cause });
  }
}

/**
 * @param {PlatformResponse} response
 * @param {string} what
 * @param {{ cause?: unknown }} [options]
 */
function unexpected(response, what, options) {
  return new UnexpectedResponse(response.status, `the response is not the control surface's: HTTP ${response.status}, ${what}`, options);
}
