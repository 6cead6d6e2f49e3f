import { UnexpectedResponse } from "./errors.js";
import { sender } from "./http.js";
import { PhoneNumber } from "./phone-number.js";
import { core, texts } from "./wasm.js";

export class CallerIdClient {
  #connection;
  #send;

  constructor({ accountSid, authToken, baseUrl, apiVersion, fetch }) {
    this.#connection = texts({ accountSid, authToken, baseUrl, apiVersion });
    core().clientConnection(this.#connection);
    this.#send = sender(fetch);
  }

  async create({ phoneNumber, friendlyName, callDelay, extension, statusCallback, statusCallbackMethod }, options) {
    const number = PhoneNumber.parse(String(phoneNumber));
    const rest = { friendlyName, callDelay, extension, statusCallback, statusCallbackMethod };
    return this.#ask({ operation: "create", phoneNumber: number, ...rest }, options);
  }

  async list(parameters = {}, options) {
    const { page = 0, pageSize } = parameters;
    const previous = page > 0 ? (options) => this.list({ ...parameters, page: page - 1 }, options) : undefined;
    return this.#page({ operation: "list", ...filter(parameters), page, pageSize }, previous, options);
  }

  async *listAll(parameters, options) {
    for (let page = await this.list(parameters, options); page !== null; page = await page.next(options)) yield* page.items;
  }

  async fetch(sid, options) {
    return this.#ask({ operation: "fetch", sid }, options);
  }

  async update(sid, { friendlyName }, options) {
    return this.#ask({ operation: "update", sid, friendlyName }, options);
  }

  async delete(sid, options) {
    return this.#ask({ operation: "delete", sid }, options);
  }

  /**
   * Reads a page. The one before a page that `next` came to is asked for as it was: its place is not lost where rows are
   * added or removed.
   */
  async #page(asked, previous, options) {
    const { list, next, refusal } = await this.#ask(asked, options);
    const again = (options) => this.#page(asked, previous, options);
    const { phoneNumber, friendlyName } = asked;
    const ways = {
      hasNext: next !== null,
      hasPrevious: previous !== undefined,
      next: async (options) => {
        if (next === null) return null;
        if (refusal !== null) throw new UnexpectedResponse(200, refusal);
        return this.#page({ operation: "next", url: next, phoneNumber, friendlyName }, again, options);
      },
      previous: async (options) => (previous === undefined ? null : previous(options)),
    };
    // Not among what a copy, JSON or a test's comparison sees: a page is its rows and its place.
    for (const [name, value] of Object.entries(ways)) Object.defineProperty(list, name, { value });
    return list;
  }

  /** Sends a request of the core's and reads the response. */
  async #ask(parameters, { signal } = {}) {
    const operation = texts(parameters);
    const { url, ...init } = core().clientRequest(this.#connection, operation);
    const response = await this.#send(url, init, signal);
    const body = new Uint8Array(await response.arrayBuffer());
    const contentType = response.headers.get("content-type");
    return core().clientAnswer(this.#connection, operation, response.status, contentType, body);
  }
}

/** What to look for: a number of a list may have been withdrawn since. */
function filter({ phoneNumber, friendlyName }) {
  return { phoneNumber: phoneNumber === undefined ? undefined : PhoneNumber.restore(String(phoneNumber)), friendlyName };
}
