import { EventReader, toCall, toChange } from "./events.js";
import { RestException, UnexpectedResponse } from "./errors.js";
import { sender } from "./http.js";
import { core, texts } from "./wasm.js";

export class CallControl {
  #authorization;
  #origin;
  #send;

  constructor({ accountSid, authToken, baseUrl, fetch }) {
    const { origin, authorization } = core().clientConnection(texts({ accountSid, authToken, baseUrl }));
    this.#origin = origin;
    this.#authorization = authorization;
    this.#send = sender(fetch);
  }

  health(options) {
    return this.#json("GET", "health", options);
  }

  async calls(options) {
    const { calls } = await this.#json("GET", "calls", options);
    return calls.map(toCall);
  }

  async call(sid, options) {
    return toCall(await this.#json("GET", path(sid), options));
  }

  answer(sid, options) {
    return this.#phone(sid, "answer", options);
  }

  press(sid, digits, options) {
    return this.#phone(sid, "digits", options, String(new URLSearchParams({ Digits: digits })));
  }

  hangUp(sid, options) {
    return this.#phone(sid, "hangup", options);
  }

  busy(sid, options) {
    return this.#phone(sid, "busy", options);
  }

  noAnswer(sid, options) {
    return this.#phone(sid, "no-answer", options);
  }

  async *events({ lastEventId, onAlive, signal } = {}) {
    const headers = { Accept: "text/event-stream" };
    if (lastEventId !== undefined) headers["Last-Event-ID"] = lastEventId;
    const response = await this.#request("GET", "events", { signal }, undefined, headers);
    if (!response.ok) throw await refusal(response);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
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

  async #phone(sid, action, options, body) {
    return toCall(await this.#json("POST", `${path(sid)}/${action}`, options, body));
  }

  async #json(method, target, { signal } = {}, body) {
    const headers = body ? { "Content-Type": "application/x-www-form-urlencoded" } : {};
    const response = await this.#request(method, target, { signal }, body, headers);
    if (!response.ok) throw await refusal(response);
    return json(response);
  }

  #request(method, target, { signal }, body, headers) {
    const init = { method, headers: { Authorization: this.#authorization, ...headers } };
    if (body) init.body = body;
    return this.#send(`${this.#origin}/_callerid/${target}`, init, signal);
  }
}

function path(sid) {
  return `calls/${encodeURIComponent(sid)}`;
}

async function refusal(response) {
  const body = await json(response);
  if (typeof body?.message !== "string") return unexpected(response, "no error of the control surface");
  return new RestException(response.status, body.message, body.code, body.more_info);
}

async function json(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unexpected(response, "no JSON", { cause });
  }
}

function unexpected(response, what, options) {
  return new UnexpectedResponse(response.status, `the response is not the control surface's: HTTP ${response.status}, ${what}`, options);
}
