// The page's host: the page's initial connection, signing in to it, and the .wasm files. This is a classic script, not a module: it
// runs at once, so that all this happens while the page's modules load. `callerid serve` gives it out with "server" for `connection`.

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

  const compiling = {};
  /** Compiles a .wasm file, while it is fetched if its host sends the right content type. Resolves to a source for the package. */
  const wasm = (path) => (compiling[path] ??= fetch(path).then((response) => {
    const isStreamable = response.ok && response.headers.get("content-type") === "application/wasm";
    return isStreamable ? WebAssembly.compileStreaming(response) : response;
  }));

  globalThis.host = { connection: "page", takeFromAddress, requestSession, inAddress, requested, wasm };
  const parts = host.connection === "page" ? ["", "phone/", "mock/"] : ["", "phone/"];
  // Handled once the modules have loaded.
  for (const part of parts) wasm(`callerid/${part}callerid.wasm`).catch(() => {});
}
