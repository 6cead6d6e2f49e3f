import { UnexpectedResponse } from "./errors.js";
import { sender } from "./http.js";
import { PhoneNumber } from "./phone-number.js";
import { core, texts } from "./wasm.js";

/** @import { CallerIdPage, ClientOptions, CreateParameters, ListFilter, ListParameters } from "./client-types.js" */
/** @import { OutgoingCallerId, RequestOptions, ValidationRequest } from "./client-types.js" */
/** @import { Page } from "./glue.js" */

/**
 * The typed client. Every method rejects with
 *
 * - {@link RestException} if the service refuses;
 * - {@link InvalidPhoneNumber} for an invalid number, before anything is sent;
 * - `RangeError` for an invalid name, delay, page size or Sid, or an option that the version does not have, before
 *   anything is sent;
 * - {@link UnexpectedResponse} where something else answers;
 * - whatever `fetch` rejects with: a `TypeError` without a connection, the signal's `reason` if it is
 *   aborted.
 */
export class CallerIdClient {
  #connection;
  #send;

  /**
   * @param {ClientOptions} options
   * @throws {RangeError} if the Sid, the token, the address or the version is invalid.
   */
  constructor({ accountSid, authToken, baseUrl, apiVersion, fetch }) {
    this.#connection = texts({ accountSid, authToken, baseUrl, apiVersion });
    core().clientConnection(this.#connection);
    this.#send = sender(fetch);
  }

  /**
   * Begins the validation of a number: the answer has the code to show, and the phone rings.
   *
   * @param {CreateParameters} parameters
   * @param {RequestOptions} [options]
   * @returns {Promise<ValidationRequest>}
   */
  async create({ phoneNumber, friendlyName, callDelay, extension, statusCallback, statusCallbackMethod }, options) {
    const number = PhoneNumber.parse(String(phoneNumber));
    const rest = { friendlyName, callDelay, extension, statusCallback, statusCallbackMethod };
    return this.#ask({ operation: "create", phoneNumber: number, ...rest }, options);
  }

  /**
   * Reads a page of the caller IDs, newest `dateUpdated` first.
   *
   * @param {ListParameters} [parameters]
   * @param {RequestOptions} [options]
   * @returns {Promise<CallerIdPage>}
   */
  async list(parameters = {}, options) {
    const { page = 0, pageSize } = parameters;
    /** @param {RequestOptions} [options] */
    const before = (options) => this.list({ ...parameters, page: page - 1 }, options);
    return this.#page({ operation: "list", ...filter(parameters), page, pageSize }, page > 0 ? before : undefined, options);
  }

  /**
   * Every caller ID, page by page as they are asked for. `pageSize` is how many are read at once.
   *
   * @param {ListFilter & { readonly pageSize?: number | undefined }} [parameters]
   * @param {RequestOptions} [options]
   * @returns {AsyncGenerator<OutgoingCallerId, void, undefined>}
   */
  async *listAll(parameters, options) {
    /** @type {CallerIdPage | null} */
    let page = await this.list(parameters, options);
    for (; page !== null; page = await page.next(options)) yield* page.items;
  }

  /**
   * Reads one caller ID.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   * @returns {Promise<OutgoingCallerId>}
   */
  async fetch(sid, options) {
    return this.#ask({ operation: "fetch", sid }, options);
  }

  /**
   * Renames a caller ID; the empty name sets the default one.
   *
   * @param {string} sid
   * @param {{ readonly friendlyName: string }} parameters
   * @param {RequestOptions} [options]
   * @returns {Promise<OutgoingCallerId>}
   */
  async update(sid, { friendlyName }, options) {
    return this.#ask({ operation: "update", sid, friendlyName }, options);
  }

  /**
   * Deletes a caller ID.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   * @returns {Promise<void>}
   */
  async delete(sid, options) {
    return this.#ask({ operation: "delete", sid }, options);
  }

  /**
   * Reads a page. The one before a page that `next` came to is asked for as it was: its place is not lost where rows are
   * added or removed.
   *
   * @param {Record<string, unknown>} asked
   * @param {((options?: RequestOptions) => Promise<CallerIdPage>) | undefined} previous
   * @param {RequestOptions} [options]
   * @returns {Promise<CallerIdPage>}
   */
  async #page(asked, previous, options) {
    /** @type {Page} */
    const { list, next, refusal } = await this.#ask(asked, options);
    const { phoneNumber, friendlyName } = asked;
    /** @param {RequestOptions} [options] */
    const again = (options) => this.#page(asked, previous, options);
    /** @type {Pick<CallerIdPage, "hasNext" | "hasPrevious" | "next" | "previous">} */
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
    return /** @type {CallerIdPage} */ (list);
  }

  /**
   * Sends a request of the core's and reads the response.
   *
   * @param {Record<string, unknown>} parameters
   * @param {RequestOptions} [options]
   */
  async #ask(parameters, { signal } = {}) {
    const operation = texts(parameters);
    const { url, ...init } = core().clientRequest(this.#connection, operation);
    const response = await this.#send(url, init, signal);
    const body = new Uint8Array(await response.arrayBuffer());
    const contentType = response.headers.get("content-type");
    return core().clientAnswer(this.#connection, operation, response.status, contentType, body);
  }
}

/**
 * What to look for: a number of a list may have been withdrawn since.
 *
 * @param {ListFilter} filter
 */
function filter({ phoneNumber, friendlyName }) {
  return { phoneNumber: phoneNumber === undefined ? undefined : PhoneNumber.parsePossible(String(phoneNumber)), friendlyName };
}
