import { toAnswer } from "./documents.js";
import { UnexpectedResponse } from "./errors.js";
import { sender, toHeaders } from "./http.js";
import { PhoneNumber } from "./phone-number.js";
import { core } from "./wasm.js";

export class CallerIdClient {
  #connection;
  #send;

  constructor({ accountSid, authToken, baseUrl, fetch }) {
    this.#connection = [accountSid, authToken, String(baseUrl)];
    this.#request(() => {});
    this.#send = sender(fetch);
  }

  async create({ phoneNumber, friendlyName, callDelay }, options) {
    const delay = callDelay === undefined ? undefined : String(callDelay);
    return this.#ask(this.#request((core) => core.create(digits(phoneNumber), friendlyName, delay)), options);
  }

  async list(parameters = {}, options) {
    const { page = 0, pageSize, friendlyName } = parameters;
    const number = digits(parameters.phoneNumber);
    const size = pageSize === undefined ? undefined : String(pageSize);
    return this.#page(this.#request((core) => core.list(number, friendlyName, page, size)), parameters, options);
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

  async #page(request, parameters, options) {
    const [list, next, whyNot] = await this.#ask(request, options);
    const ways = {
      hasNext: next !== undefined,
      hasPrevious: list.page > 0,
      next: async (options) => {
        if (next === undefined) return null;
        if (whyNot !== undefined) throw new UnexpectedResponse(200, whyNot);
        const number = digits(parameters.phoneNumber);
        const request = this.#request((core) => core.pageAt(next, number, parameters.friendlyName));
        return this.#page(request, parameters, options);
      },
      previous: async (options) =>
        list.page > 0 ? this.list({ ...parameters, pageSize: list.pageSize, page: list.page - 1 }, options) : null,
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

function digits(phoneNumber) {
  return phoneNumber === undefined ? undefined : PhoneNumber.parse(phoneNumber.toString()).toString();
}
