import { CallControl } from "./control.js";
import { UnexpectedResponse } from "./errors.js";
import { sender } from "./http.js";
import { PhoneNumber } from "./phone-number.js";
import { ValidationWait } from "./validation.js";
import { client, texts } from "./wasm.js";

/** @import { CallerIdPage, ClientOptions, CreateParameters, ListFilter, ListParameters } from "./client-types.js" */
/** @import { OutgoingCallerId, RequestOptions, ValidationRequest, WaitOptions } from "./client-types.js" */
/** @import { Page } from "./glue.js" */

/**
 * A typed client of the API. Every method rejects with
 *
 * - {@link RestException} if the service returns an error;
 * - {@link InvalidPhoneNumber} if a number is invalid, before sending a request;
 * - `RangeError` if a name, delay, page size or Sid is invalid, or the API version does not support an option, before
 *   sending a request;
 * - {@link UnexpectedResponse} if the response is not one of the API;
 * - the error of `fetch`: a `TypeError` if there is no connection, the signal's `reason` if it is aborted.
 */
export class CallerIdClient {
  #connection;
  #send;
  #control;

  /**
   * @param {ClientOptions} options
   * @throws {RangeError} if the Sid, the token, the address or the version is invalid.
   */
  constructor({ accountSid, authToken, baseUrl, apiVersion, ...sending }) {
    this.#connection = texts({ accountSid, authToken, baseUrl, apiVersion });
    client().clientConnection(this.#connection);
    this.#send = sender(sending);
    this.#control = new CallControl({ accountSid, authToken, baseUrl, ...sending });
  }

  /**
   * Starts the validation of a number: the response contains the code to show, and the phone rings.
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
   * Waits until the number of a request is validated. With `callerid serve` and {@link MockApi} it follows the events, and rejects as
   * soon as the validation fails. Twilio has no events, so there it asks for the list every `pollInterval` and cannot know of a failure:
   * give it a signal, such as `AbortSignal.timeout(600_000)`.
   *
   * @param {Pick<ValidationRequest, "phoneNumber" | "callSid">} request The result of {@link create}.
   * @param {WaitOptions} [options]
   * @returns {Promise<OutgoingCallerId>}
   * @throws {ValidationFailed} if the call ended without the right code: declined, not answered, replaced by another request.
   */
  async waitUntilValidated(request, options = {}) {
    return new ValidationWait(this, this.#control, request, options).end();
  }

  /**
   * Fetches a page of caller IDs, newest `dateUpdated` first.
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
   * Iterates over all caller IDs. Fetches pages of `pageSize` rows as needed.
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
   * Fetches one caller ID.
   *
   * @param {string} sid
   * @param {RequestOptions} [options]
   * @returns {Promise<OutgoingCallerId>}
   */
  async fetch(sid, options) {
    return this.#ask({ operation: "fetch", sid }, options);
  }

  /**
   * Renames a caller ID. An empty name restores the default.
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
   * Fetches a page. If `next` led to a page, `previous` repeats the request of the page before it: so its position does
   * not change when rows are added or removed.
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
    // Not enumerable, so that copies, JSON and test assertions see only the page's data.
    for (const [name, value] of Object.entries(ways)) Object.defineProperty(list, name, { value });
    return /** @type {CallerIdPage} */ (list);
  }

  /**
   * Sends a request that the core builds, and parses the response.
   *
   * @param {Record<string, unknown>} parameters
   * @param {RequestOptions} [options]
   */
  async #ask(parameters, { signal } = {}) {
    const operation = texts(parameters);
    const { url, ...init } = client().clientRequest(this.#connection, operation);
    const response = await this.#send(url, init, { signal });
    const body = new Uint8Array(await response.arrayBuffer());
    const contentType = response.headers.get("content-type");
    return client().clientAnswer(this.#connection, operation, response.status, contentType, body);
  }
}

/**
 * Parses with `parsePossible`, because a listed number may have left the numbering plan since.
 *
 * @param {ListFilter} filter
 */
function filter({ phoneNumber, friendlyName }) {
  return { phoneNumber: phoneNumber === undefined ? undefined : PhoneNumber.parsePossible(String(phoneNumber)), friendlyName };
}
