// Sends requests, for the client and the control surface.

/** @import { ConnectionOptions } from "./client-types.js" */
/** @import { FetchInit, PlatformResponse, PlatformSignal } from "./platform.js" */

/** Statuses of a service that has not handled the request and may handle it later. */
const RETRIED = [429, 503];
/** Only what can be repeated without another effect. The API's creates and updates are POST requests. */
const IDEMPOTENT = ["GET", "DELETE"];
/** The wait if the response does not say how long: a page cannot read `Retry-After` of another origin that does not expose it. */
const DEFAULT_WAIT = 1_000;
/** Who waits longer would rather have the error. */
const LONGEST_WAIT = 60_000;

/**
 * Wraps the given `fetch`, or the platform's. The latter is looked up at each call, so that tests can replace it.
 *
 * @param {Pick<ConnectionOptions, "fetch" | "timeout" | "retries">} options
 */
export function sender({ fetch, timeout, retries = 0 }) {
  if (!(retries >= 0)) throw new RangeError(`retries: expected a number from 0, found ${retries}`);
  if (timeout !== undefined && !(timeout > 0)) throw new RangeError(`timeout: expected milliseconds, found ${timeout}`);

  /**
   * @param {string} url
   * @param {FetchInit} init
   * @param {{ signal?: PlatformSignal | null | undefined, isStream?: boolean }} options The time of a stream is not limited.
   * @returns {Promise<PlatformResponse>}
   */
  return async (url, init, { signal, isStream }) => {
    for (let left = IDEMPOTENT.includes(init.method ?? "GET") ? retries : 0; ; left--) {
      const response = await send(url, init, signal, isStream ? undefined : timeout);
      const wait = left > 0 && RETRIED.includes(response.status) ? retryAfter(response) : Infinity;
      if (wait > LONGEST_WAIT) return response;
      await response.body?.cancel();
      await sleep(wait, signal);
    }
  };

  /**
   * @param {string} url
   * @param {FetchInit} init
   * @param {PlatformSignal | null | undefined} signal
   * @param {number | undefined} timeout
   */
  function send(url, init, signal, timeout) {
    /** @type {RequestInit} */
    const all = { ...init };
    const limit = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
    const either = signal && limit ? AbortSignal.any([signal, limit]) : (signal ?? limit);
    if (either) all.signal = either;
    // No cookies, and no login dialog of the browser after a 401. Hosts without a document may not support the option.
    if (globalThis.document) all.credentials = "omit";
    return (fetch ?? globalThis.fetch)(url, /** @type {FetchInit} */ (all));
  }
}

/**
 * The milliseconds of a `Retry-After`, which has seconds or a date; the default for anything else.
 *
 * @param {PlatformResponse} response
 */
function retryAfter(response) {
  const value = response.headers.get("retry-after");
  if (value === null) return DEFAULT_WAIT;
  const seconds = Number(value);
  const wait = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1_000;
  return Number.isNaN(wait) ? DEFAULT_WAIT : Math.max(0, wait);
}

/**
 * Waits, unless the signal is aborted.
 *
 * @param {number} milliseconds
 * @param {PlatformSignal | null | undefined} signal
 * @returns {Promise<void>}
 */
export function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const aborted = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", aborted);
  });
}
