import { toAnswer } from "./documents.js";
import { UnexpectedResponse } from "./errors.js";
import { sender, toHeaders } from "./http.js";
import { PhoneNumber } from "./phone-number.js";
import { core } from "./wasm.js";

export class CallerIdClient {
  #connection;
  #send;

  constructor({ accountSid, authToken, baseUrl, apiVersion, fetch }) {
    this.#connection = [accountSid, authToken, String(baseUrl), text(apiVersion)];
    this.#request(() => {});
    this.#send = sender(fetch);
  }

  async create({ phoneNumber, friendlyName, callDelay, extension, statusCallback, statusCallbackMethod }, options) {
    const rest = [callDelay, extension, statusCallback, statusCallbackMethod].map(text);
    return this.#ask(this.#request((core) => core.create(PhoneNumber.parse(String(phoneNumber)).toString(), friendlyName, ...rest)), options);
  }

  async list(parameters = {}, options) {
    const { page = 0, pageSize, friendlyName } = parameters;
    const number = known(parameters.phoneNumber);
    const previous = page > 0 ? (options) => this.list({ ...parameters, page: page - 1 }, options) : undefined;
    return this.#page((core) => core.list(number, friendlyName, page, text(pageSize)), parameters, previous, options);
  }

  async *listAll(parameters, options) {
    for (let page = await this.list(parameters, options); page !== null; page = await page.next(options)) yield* page.items;
  }

  async fetch(sid, options) {
    return this.#ask(this.#request((core) => core.fetch(sid)), options);
  }

  async update(sid, { friendlyName }, options) {
    return this.#ask(this.#request((core) => core.update(sid, friendlyName)), options);
  }

  async delete(sid, options) {
    return this.#ask(this.#request((core) => core.delete(sid)), options);
  }

  /**
   * Reads a page. The one before a page that `next` came to is asked for as it was: its place is not lost where rows are
   * added or removed.
   */
  async #page(make, parameters, previous, options) {
    const [list, next, whyNot] = await this.#ask(this.#request(make), options);
    const again = (options) => this.#page(make, parameters, previous, options);
    const ways = {
      hasNext: next !== undefined,
      hasPrevious: previous !== undefined,
      next: async (options) => {
        if (next === undefined) return null;
        if (whyNot !== undefined) throw new UnexpectedResponse(200, whyNot);
        const number = known(parameters.phoneNumber);
        return this.#page((core) => core.pageAt(next, number, parameters.friendlyName), parameters, again, options);
      },
      previous: async (options) => (previous === undefined ? null : previous(options)),
    };
    // Not among what a copy, JSON or a test's comparison sees: a page is its rows and its place.
    for (const [name, value] of Object.entries(ways)) Object.defineProperty(list, name, { value });
    return list;
  }

  /** Makes a request. Nothing of the core's outlives it: whoever has a client need not free it. */
  #request(make) {
    const client = new (core().Client)(...this.#connection);
    try {
      return make(client);
    } finally {
      client.free();
    }
  }

  /** Sends a request of the core's and reads the response. The request is taken back or freed. */
  async #ask(request, { signal } = {}) {
    let response;
    let body;
    try {
      const [method, url, headers, content] = request.parts();
      const init = { method, headers: toHeaders(headers) };
      if (content) init.body = content;
      response = await this.#send(url, init, signal);
      body = new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      request.free();
      throw error;
    }
    const { status } = response;
    return toAnswer(request.read(status, response.headers.get("content-type") ?? undefined, body), status);
  }
}

function text(value) {
  return value === undefined ? undefined : String(value);
}

/** The digits of a number to look for: one of a list may have been withdrawn since. */
function known(phoneNumber) {
  return phoneNumber === undefined ? undefined : PhoneNumber.restore(String(phoneNumber)).toString();
}
