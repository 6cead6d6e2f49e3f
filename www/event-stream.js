// Follows the changes at a connection until it is closed, and reports the state of the connection.

import { RestException, UnexpectedResponse } from "./callerid.js";

/** After this silence, the stream counts as dead: there is a heartbeat every 15 s. */
const SILENCE_MS = 40_000;
/** The timeout for opening the stream. */
const OPENING_MS = 10_000;
/** The pause before the next attempt: short, so that a server that is back is noticed, unless nobody looks. */
const RETRY_MS = 1000;
const RETRY_HIDDEN_MS = 10_000;
/** Ends an attempt in favour of the next one. */
const AGAIN = new DOMException("another attempt", "AbortError");
/** The polling interval if the API has no events. */
const POLL_MS = 4000;

/**
 * Follows a connection until it is closed. Calls the methods of `on`:
 *
 * - `live()`: the stream is open; data fetched before may be stale;
 * - `change(change)`: something changed;
 * - `lost(error)`: the connection is lost, and there will be another attempt;
 * - `refused(error)`: the credentials are not accepted; there are no further attempts;
 * - `plain()`: the API has no events; from now on, `poll()` is called every few seconds.
 *
 * Returns a function that tries again immediately, unless the stream is open. It also does so when the page is looked at, or when the
 * network is back; then an open stream may be dead, and is opened again.
 */
export function follow(connection, on) {
  let again = () => {};
  const tryNow = () => again(false);
  addEventListener("online", () => again(true), { signal: connection.closed });
  addEventListener("visibilitychange", () => document.visibilityState === "visible" && tryNow(), { signal: connection.closed });
  run(connection, on, (next) => (again = next));
  return tryNow;
}

async function run(connection, on, onAgain) {
  const { closed, control } = connection;
  let lastEventId;
  while (!closed.aborted) {
    const attempt = new AbortController();
    let watchdog = setTimeout(() => attempt.abort(new DOMException("the stream is silent", "TimeoutError")), OPENING_MS);
    let isLive = false;
    let lost;
    onAgain((isDoubtful) => (isDoubtful || !isLive) && attempt.abort(AGAIN));
    const onAlive = (id) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => attempt.abort(new DOMException("the stream is silent", "TimeoutError")), SILENCE_MS);
      lastEventId ??= id;
      if (!isLive) {
        isLive = true;
        on.live();
      }
    };
    try {
      const signal = AbortSignal.any([closed, attempt.signal]);
      for await (const change of control.events({ signal, lastEventId, onAlive })) {
        lastEventId = change.id;
        if (change.type === "reset") on.live();
        else on.change(change);
      }
      lost = new TypeError("the stream has ended");
    } catch (error) {
      lost = error;
    } finally {
      clearTimeout(watchdog);
    }
    if (closed.aborted) return;
    if (attempt.signal.reason === AGAIN) continue;
    if (lost instanceof RestException && lost.status === 401) {
      on.refused(lost);
      return;
    }
    if (!isLive && (await hasNoEvents(connection, lost))) {
      await poll(connection, on);
      return;
    }
    const wait = document.visibilityState === "visible" ? RETRY_MS : RETRY_HIDDEN_MS;
    on.lost(lost);
    await pause(wait, closed, onAgain);
  }
}

/** Whether the API itself responds, but lacks this project's control surface. */
async function hasNoEvents(connection, error) {
  const isAnswer = error instanceof RestException || error instanceof UnexpectedResponse;
  if (connection.kind !== "url" || (isAnswer && error.status >= 500)) return false;
  try {
    await connection.client.list({ pageSize: 1 }, connection.options);
    return true;
  } catch {
    return false;
  }
}

async function poll(connection, on) {
  on.plain();
  while (!connection.closed.aborted) {
    await pause(POLL_MS, connection.closed, () => {});
    if (!connection.closed.aborted && document.visibilityState === "visible") await on.poll();
  }
}

function pause(milliseconds, closed, onAgain) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const now = () => {
      clearTimeout(timer);
      resolve();
    };
    onAgain(now);
    closed.addEventListener("abort", now, { once: true });
  });
}
