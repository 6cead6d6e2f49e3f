// The page's host: the page's initial connection, and signing in to it. This is a classic script, not a module: it runs at once, so
// that the page signs in while its modules load. `callerid serve` gives it out with "server" for `connection`.

{
  /**
   * Returns the account and the one-time code (as `secret`) from the address `…/#account=AC…&code=…`; `null` if absent.
   * Removes them from the address, and thereby from the history, at once.
   */
  const takeFromAddress = () => {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const accountSid = fragment.get("account");
    const secret = fragment.get("code");
    if (accountSid === null || secret === null) return null;
    history.replaceState(history.state, "", location.pathname + location.search);
    return { accountSid, secret };
  };

  /** Requests a session, for a code from the page's address or for a token. Resolves with the response. */
  const requestSession = ({ accountSid, secret }) => {
    const headers = { authorization: `Basic ${btoa(`${accountSid}:${secret}`)}` };
    const bare = { credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" };
    return fetch("/_callerid/sessions", { method: "POST", headers, ...bare, signal: AbortSignal.timeout(30_000) });
  };

  const inAddress = takeFromAddress();
  const requested = inAddress && requestSession(inAddress);
  // Handled once the modules have loaded.
  requested?.catch(() => {});
  globalThis.host = { connection: "page", takeFromAddress, requestSession, inAddress, requested };
}
