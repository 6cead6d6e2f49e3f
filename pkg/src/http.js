// How requests are sent, for the client and the control surface.

/** @import { Fetch } from "./client-types.js" */
/** @import { FetchInit, PlatformSignal } from "./platform.js" */

/**
 * The `fetch` that was given, or the platform's own: looked up late, so that it can be replaced.
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
    // No cookies, and no login dialog of a browser's after a 401; hosts that have neither may refuse the option.
    if (globalThis.document) all.credentials = "omit";
    return (fetch ?? globalThis.fetch)(url, /** @type {FetchInit} */ (all));
  };
}
