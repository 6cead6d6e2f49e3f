// Waits for the end of a validation: by events where the service has them, otherwise by polling the list.

import { RestException, UnexpectedResponse, ValidationFailed } from "./errors.js";
import { sleep } from "./http.js";

/** @import { Call, Change, OutgoingCallerId, ValidationRequest, WaitOptions } from "./client-types.js" */
/** @import { CallerIdClient } from "./client.js" */
/** @import { CallControl } from "./control.js" */

/** Milliseconds between two requests for the list. Twilio limits the requests of an account. */
const POLL_INTERVAL = 3_000;
/** Milliseconds for a stream to open. A proxy that collects the whole response never passes one on. */
const OPENING_TIME = 5_000;
/** The longest time without an event or a heartbeat, which comes every 15 s. */
const LONGEST_SILENCE = 40_000;

/** The wait for one validation. */
export class ValidationWait {
  #client;
  #control;
  #phoneNumber;
  #callSid;
  #signal;
  #pollInterval;

  /**
   * @param {CallerIdClient} client
   * @param {CallControl} control
   * @param {Pick<ValidationRequest, "phoneNumber" | "callSid">} request
   * @param {WaitOptions} options
   */
  constructor(client, control, { phoneNumber, callSid }, { signal, pollInterval = POLL_INTERVAL }) {
    this.#client = client;
    this.#control = control;
    this.#phoneNumber = phoneNumber;
    this.#callSid = callSid;
    this.#signal = signal;
    this.#pollInterval = pollInterval;
  }

  /** @returns {Promise<OutgoingCallerId>} */
  async end() {
    for (let hasEvents = true; ; ) {
      this.#signal?.throwIfAborted();
      try {
        const callerId = hasEvents ? await this.#follow() : await this.#listed();
        if (callerId) return callerId;
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (error instanceof NoEvents) {
          hasEvents = false;
          continue;
        }
        if (!isTemporary(error)) throw error;
      }
      await sleep(this.#pollInterval, this.#signal);
    }
  }

  /**
   * Follows the events. Returns nothing if the server ends the stream.
   *
   * @returns {Promise<OutgoingCallerId | undefined>}
   */
  async #follow() {
    const stop = new AbortController();
    const abort = () => stop.abort();
    this.#signal?.addEventListener("abort", abort);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let silence;
    const onAlive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => stop.abort(new TypeError("the stream of events is silent")), LONGEST_SILENCE);
    };
    try {
      const { events, next } = await this.#open(stop.signal, onAlive);
      // What happened before the stream opened.
      const callerId = await this.#current();
      if (callerId) return callerId;
      for (let { done, value } = await next; !done; ({ done, value } = await events.next())) {
        const callerId = await this.#outcome(/** @type {Change} */ (value));
        if (callerId) return callerId;
      }
    } finally {
      this.#signal?.removeEventListener("abort", abort);
      clearTimeout(silence);
      stop.abort();
    }
  }

  /**
   * Opens the stream. Returns it together with its first change, which may not have come yet.
   *
   * @param {AbortSignal} signal
   * @param {() => void} onAlive
   * @returns {Promise<{ events: AsyncGenerator<Change, void, undefined>, next: Promise<IteratorResult<Change, void>> }>}
   */
  async #open(signal, onAlive) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    try {
      return await new Promise((resolve, reject) => {
        const opened = () => resolve({ events, next });
        const events = this.#control.events({ signal, onAlive: () => (onAlive(), opened()) });
        const next = events.next();
        next.then(opened, reject);
        timer = setTimeout(() => reject(new NoEvents()), OPENING_TIME);
      });
    } catch (error) {
      throw isTemporary(error) ? error : new NoEvents();
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {Change} change */
  async #outcome(change) {
    if (change.type === "reset") return this.#current();
    if (change.type === "call" && this.#isMine(change.call)) throwIfFailed(change.call);
    return change.type === "caller-id-added" && change.callerId.phoneNumber === this.#phoneNumber ? change.callerId : undefined;
  }

  async #current() {
    const callerId = await this.#listed();
    if (callerId) return callerId;
    const signal = this.#signal;
    // The newest is first.
    const call = (await this.#control.calls({ signal })).find((call) => this.#isMine(call));
    if (call) throwIfFailed(call);
  }

  async #listed() {
    const signal = this.#signal;
    const { items } = await this.#client.list({ phoneNumber: this.#phoneNumber, pageSize: 1 }, { signal });
    return items[0];
  }

  /** @param {Call} call */
  #isMine(call) {
    return this.#callSid ? call.callSid === this.#callSid : call.phoneNumber === this.#phoneNumber;
  }
}

/** The service has no events. */
class NoEvents extends Error {}

/** @param {Call} call */
function throwIfFailed(call) {
  if (call.verificationStatus === "failed") throw new ValidationFailed(call);
}

/**
 * Whether the next attempt may succeed: there was no connection, or the service or a proxy is overloaded.
 *
 * @param {unknown} error
 */
function isTemporary(error) {
  const isResponse = error instanceof RestException || error instanceof UnexpectedResponse;
  return error instanceof TypeError || (isResponse && (error.status === 429 || error.status >= 500));
}
