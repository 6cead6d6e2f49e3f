// Follows the changes at a connection until it is closed, and reports the state of the connection.

import { RestException, UnexpectedResponse } from "./callerid.js";

/** After this silence, the stream counts as dead: there is a heartbeat every 15 s. */
const SILENCE_MS = 40_000;
/** The timeout for opening the stream. */
const OPENING_MS = 10_000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
/** The polling interval if the API has no events. */
const POLL_MS = 4000;

/**
 * Follows a connection until it is closed. Calls the methods of `on`:
 *
 * - `live()`: the stream is open; data fetched before may be stale;
 * - `change(change)`: something changed;
 * - `lost(error, retryAt)`: the connection is lost, and the next attempt is at that time (`performance.now()`);
 * - `refused(error)`: the credentials are not accepted; there are no further attempts;
 * - `plain()`: the API has no events; from now on, `poll()` is called every few seconds.
 *
 * Returns a function that tries again immediately.
 */
export function follow(connection, on) {
  let nudge = () => {};
  const tryNow = () => nudge();
  for (const event of ["online", "visibilitychange"]) {
    addEventListener(event, () => document.visibilityState === "visible" && tryNow(), { signal: connection.closed });
  }
  run(connection, on, (set) => {
    nudge = set;
  });
  return tryNow;
}

async function run(connection, on, setNudge) {
  const { closed, control } = connection;
  let lastEventId;
  let failures = 0;
  while (!closed.aborted) {
    const attempt = new AbortController();
    let watchdog = setTimeout(() => attempt.abort(new DOMException("the stream is silent", "TimeoutError")), OPENING_MS);
    let isLive = false;
    let lost;
    const onAlive = (id) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => attempt.abort(new DOMException("the stream is silent", "TimeoutError")), SILENCE_MS);
      lastEventId ??= id;
      failures = 0;
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
    if (lost instanceof RestException && lost.status === 401) {
      on.refused(lost);
      return;
    }
    if (!isLive && (await hasNoEvents(connection, lost))) {
      await poll(connection, on);
      return;
    }
    const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
    on.lost(lost, performance.now() + wait);
    await pause(wait, closed, setNudge);
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

function pause(milliseconds, closed, setNudge) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const now = () => {
      clearTimeout(timer);
      resolve();
    };
    setNudge(now);
    closed.addEventListener("abort", now, { once: true });
  });
}
