// The log of all requests and responses since the page was loaded.

const EXCHANGES_MAX = 300;
const STREAM_CHARS_MAX = 20_000;

/**
 * A request and its response. `status` is `null` until there is a response; `failure` says why it is missing or incomplete;
 * `isOpen` is true until it is complete.
 */
class Exchange {
  constructor(id, url, init, isLocal) {
    this.id = id;
    this.url = new URL(url);
    this.method = init.method ?? "GET";
    this.isLocal = isLocal;
    this.requestHeaders = [...new Headers(init.headers)];
    this.requestBody = init.body ?? "";
    this.startedAt = new Date();
    this.started = performance.now();
    this.status = null;
    this.statusText = "";
    this.responseHeaders = [];
    this.responseBody = "";
    this.isStream = false;
    this.isOpen = true;
    this.took = null;
    this.failure = null;
  }

  /** Whether it belongs to this project's control surface, not to Twilio's API. */
  get isControl() {
    return this.url.pathname.startsWith("/_callerid/");
  }
}

/** The log. It fires `change` with the exchange as `detail`. */
export class WireLog extends EventTarget {
  /** Newest first. */
  exchanges = [];
  #count = 0;

  /** Removes complete exchanges. */
  clear() {
    this.exchanges = this.exchanges.filter((exchange) => exchange.isOpen);
    this.#tell(null);
  }

  /**
   * Wraps a `fetch` function to log its requests, unless `isUnlogged` is among a request's options. `isLocal` means that they do not
   * leave the page.
   */
  recording(fetch, isLocal) {
    return async (url, { isUnlogged = false, ...init } = {}) => {
      if (isUnlogged) return fetch(url, init);
      const exchange = new Exchange(++this.#count, url, init, isLocal);
      this.exchanges = [exchange, ...this.exchanges].slice(0, EXCHANGES_MAX);
      this.#tell(exchange);
      try {
        const response = await fetch(url, init);
        return this.#received(exchange, response);
      } catch (error) {
        this.#over(exchange, error);
        throw error;
      }
    };
  }

  #received(exchange, response) {
    exchange.status = response.status;
    exchange.statusText = response.statusText;
    exchange.responseHeaders = [...response.headers];
    exchange.isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    if (exchange.isStream && response.body) {
      exchange.took = performance.now() - exchange.started;
      this.#tell(exchange);
      const { status, statusText, headers } = response;
      return new Response(this.#overheard(exchange, response.body), { status, statusText, headers });
    }
    response.clone().text().then(
      (body) => {
        exchange.responseBody = body;
        this.#over(exchange, null);
      },
      (error) => this.#over(exchange, error),
    );
    return response;
  }

  /** Wraps a stream to log its content. */
  #overheard(exchange, stream) {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) {
            this.#over(exchange, null);
            controller.close();
            return;
          }
          const text = exchange.responseBody + decoder.decode(value, { stream: true });
          exchange.responseBody = text.slice(-STREAM_CHARS_MAX);
          this.#tell(exchange);
          controller.enqueue(value);
        } catch (error) {
          this.#over(exchange, error);
          controller.error(error);
        }
      },
      cancel: (reason) => {
        this.#over(exchange, null);
        return reader.cancel(reason);
      },
    });
  }

  #over(exchange, error) {
    exchange.isOpen = false;
    exchange.took ??= performance.now() - exchange.started;
    if (error) {
      const isAborted = error.name === "AbortError" || error === "closed";
      exchange.failure = isAborted ? "Closed by the page" : error.name === "TimeoutError" ? "No answer in time" : "No connection";
    }
    this.#tell(exchange);
  }

  #tell(exchange) {
    this.dispatchEvent(new CustomEvent("change", { detail: exchange }));
  }
}

/** Masks the value of a header if it is secret. */
export function masked(name, value) {
  if (name !== "authorization") return value;
  const [scheme] = value.split(" ", 1);
  return `${scheme} ••••••`;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The curl command that repeats the request. It takes the token from a shell variable. */
export function toCurl(exchange) {
  const parts = [`curl ${quoted(exchange.url.href)}`];
  if (exchange.method !== "GET" && !(exchange.method === "POST" && exchange.requestBody)) {
    parts.push(`--request ${exchange.method}`);
  }
  for (const [name, value] of exchange.requestHeaders) {
    if (name === "authorization") {
      const sid = accountOf(value);
      parts.push(`--user "${sid}:$AUTH_TOKEN"`);
    } else {
      parts.push(`--header ${quoted(`${name}: ${value}`)}`);
    }
  }
  if (exchange.isStream) parts.push("--no-buffer");
  if (exchange.requestBody) parts.push(`--data ${quoted(exchange.requestBody)}`);
  return parts.join(" \\\n  ");
}

function accountOf(authorization) {
  try {
    const [sid] = atob(authorization.replace(/^Basic /i, "")).split(":", 1);
    return /^\w+$/.test(sid) ? sid : "$ACCOUNT_SID";
  } catch {
    return "$ACCOUNT_SID";
  }
}
