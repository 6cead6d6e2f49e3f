import { EventReader, toCall, toChange } from "./events.js";
import { RestException, UnexpectedResponse } from "./errors.js";
import { sender } from "./http.js";
import { client, texts } from "./wasm.js";

/** @import { Call, Change, ConnectionOptions, EventsOptions, RequestOptions } from "./client-types.js" */
/** @import { PlatformResponse } from "./platform.js" */

/**
 * A client of this project's control surface, under `/_callerid/`: anyone with the account's credentials can play the
 * phone. `callerid serve` and {@link MockApi.fetch} support it; Twilio does not. Methods reject like those of
 * {@link CallerIdClient}. If the call's state does not allow an action, that is a {@link RestException} with status 409.
 */
export class CallControl {
  #authorization;
  #baseUrl;
  #send;

  /**
   * @param {ConnectionOptions} options
   * @throws {RangeError} if the Sid, the token or the address is invalid.
   */
  constructor({ accountSid, authToken, baseUrl, ...sending }) {
    const { baseUrl: base, authorization } = client().clientConnection(texts({ accountSid, authToken, baseUrl }));
    this.#baseUrl = base;
    this.#authorization = authorization;
    this.#send = sender(sending);
  }

  /**
   * Returns the service's status, its version, and the name of its phone line. The line `"virtual"` rings no real phone:
   * its calls are answered only through the control surface.
   *
   * @param {RequestOptions} [options]
   * @returns {Promise<{ status: "ok", version: string, line: string }>}
   */
  health(options) {
    return this.#json("GET", "health", options);
  }

  /**
   * Lists the account's calls, newest first: all live ones, and the last hundred that have ended.
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
   * Fetches one call.
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
   * Presses one or more keys: `0` to `9`, `*` (restart the entry) and `#` (end the entry).
   *
   * @param {string} sid
   * @param {string} digits
   * @param {RequestOptions} [options]
   */
  press(sid, digits, options) {
    return this.#phone(sid, "digits", options, String(new URLSearchParams({ Digits: digits })));
  }

  /**
   * Hangs up. Declines a ringing call.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   */
  hangUp(sid, options) {
    return this.#phone(sid, "hangup", options);
  }

  /**
   * Ends a ringing call as busy.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   */
  busy(sid, options) {
    return this.#phone(sid, "busy", options);
  }

  /**
   * Ends a ringing call as unanswered.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   */
  noAnswer(sid, options) {
    return this.#phone(sid, "no-answer", options);
  }

  /**
   * Iterates over the account's changes. Sends the request at the first `next()`. Returns when the server ends the
   * stream, and throws when the connection is lost: to miss nothing, call it again with the last `id`.
   *
   * @param {EventsOptions} [options]
   * @returns {AsyncGenerator<Change, void, undefined>}
   */
  async *events({ lastEventId, onAlive, signal } = {}) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "text/event-stream" };
    if (lastEventId !== undefined) headers["Last-Event-ID"] = lastEventId;
    const response = await this.#request("GET", "events", { signal, isStream: true }, undefined, headers);
    if (!response.ok) throw await errorOf(response);
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
      // Not awaited: it rejects if the stream has failed, and that error was already thrown.
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
    if (!response.ok) throw await errorOf(response);
    return json(response);
  }

  /**
   * @param {string} method
   * @param {string} target
   * @param {RequestOptions & { isStream?: boolean }} options
   * @param {string | undefined} body
   * @param {Record<string, string>} headers
   */
  #request(method, target, options, body, headers) {
    const credentials = this.#authorization === null ? {} : { Authorization: this.#authorization };
    const init = { method, headers: { ...credentials, ...headers }, ...(body && { body }) };
    return this.#send(`${this.#baseUrl}/_callerid/${target}`, init, options);
  }
}

/** @param {string} sid */
function path(sid) {
  return `calls/${encodeURIComponent(sid)}`;
}

/** @param {PlatformResponse} response */
async function errorOf(response) {
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
