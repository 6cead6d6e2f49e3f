// Sends requests, for the client and the control surface.

/** @import { Fetch } from "./client-types.js" */
/** @import { FetchInit, PlatformSignal } from "./platform.js" */

/**
 * Wraps the given `fetch`, or the platform's. The latter is looked up at each call, so that tests can replace it.
 *
 * @param {Fetch | undefined} fetch
 */
export function sender(fetch) {
  /**
   * @param {string} url
   * @param {FetchInit} init
   * @param {PlatformSignal | null | undefined} signal
   */
  return (url, init, signal) => {
    /** @type {RequestInit} */
    const all = { ...init };
    if (signal) all.signal = signal;
    // No cookies, and no login dialog of the browser after a 401. Hosts without a document may not support the option.
    if (globalThis.document) all.credentials = "omit";
    return (fetch ?? globalThis.fetch)(url, /** @type {FetchInit} */ (all));
  };
}
