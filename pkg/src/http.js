// How requests are sent, for the client and the control surface.

/** The `fetch` that was given, or the platform's own: looked up late, so that it can be replaced. */
export function sender(fetch) {
  return (url, init, signal) => {
    if (signal) init.signal = signal;
    // No cookies, and no login dialog of a browser's after a 401; hosts that have neither may refuse the option.
    if (globalThis.document) init.credentials = "omit";
    return (fetch ?? globalThis.fetch)(url, init);
  };
}
