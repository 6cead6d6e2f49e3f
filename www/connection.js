// The three kinds of connection: a mock in this page, the server that serves the page, another URL.

import { CallControl, CallerIdClient, loadMock, RestException, UnexpectedResponse } from "./callerid.js";
import { keep, recall } from "./session-storage.js";

/** The timeout of a request. */
export const PATIENCE_MS = 30_000;

/** The default address of `callerid serve`, shown as the address of requests to the mock. */
const USUAL_URL = "http://127.0.0.1:8008";

/** An account of an API, and the clients to access it. */
export class Connection {
  #closed = new AbortController();

  /** `name` is what the page calls it in a sentence; `fetch` sends its requests. */
  constructor({ kind, name, place, baseUrl, accountSid, authToken, fetch }) {
    const options = { accountSid, authToken, baseUrl, fetch };
    this.kind = kind;
    this.name = name;
    this.place = place;
    this.accountSid = accountSid;
    this.patience = PATIENCE_MS;
    this.client = new CallerIdClient(options);
    this.control = new CallControl(options);
    const authorization = `Basic ${btoa(`${accountSid}:${authToken}`)}`;
    /** Sends a request with the account's credentials, for which the clients have no method. */
    this.send = (path, init) => fetch(baseUrl.replace(/\/$/, "") + path, { ...init, headers: { authorization } });
  }

  /** Aborts when the page switches to another connection. */
  get closed() {
    return this.#closed.signal;
  }

  /** Request options, with a signal that aborts when the connection is closed or the timeout has passed. */
  get options() {
    return { signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(PATIENCE_MS)]) };
  }

  close() {
    this.#closed.abort("closed");
  }
}

/** Sends only the page's own headers: no cookies, remembered credentials or referrer. Does not use the cache. */
const bareFetch = (url, init) => fetch(url, { ...init, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });

/**
 * Signs in to the server that serves the page. Exchanges a code from the page's address, or a token, for a session, unless that has
 * been `requested` already. Does not log the request "on the wire", because the page shows no secrets.
 */
export async function beginSession(credentials, requested = host.requestSession(credentials)) {
  const response = await requested;
  const { session, message } = await response.json().catch(() => ({}));
  if (session) return { accountSid: credentials.accountSid, authToken: session };
  throw message ? new RestException(response.status, message) : new UnexpectedResponse(response.status, "no session");
}

/** Connects to the server that serves the page, with a session. */
export function connectToServer({ accountSid, authToken }, log) {
  const baseUrl = location.origin;
  const fetch = log.recording(bareFetch, false);
  return new Connection({ kind: "server", name: "this server", place: location.host, baseUrl, accountSid, authToken, fetch });
}

/**
 * Connects to another URL.
 *
 * @throws {RangeError} if the URL, the Sid or the token is invalid.
 */
export function connectToUrl({ url, accountSid, authToken }, log) {
  const fetch = log.recording(bareFetch, false);
  const place = new URL(url).host;
  return new Connection({ kind: "url", name: place, place, baseUrl: url, accountSid, authToken, fetch });
}

let mock;

/** Loads and starts the mock in this page, unless it runs. */
export async function mockStarted() {
  const MockApi = await loadMock();
  mock ??= startMock(MockApi);
}

/** Connects to the mock in this page, once it is started: the same service over a store in memory, which survives a reload. */
export function connectToPage(log) {
  const { accountSid, authToken } = mock;
  const fetch = log.recording(mock.fetch, true);
  return new Connection({ kind: "page", name: "this page", place: "nothing leaves it", baseUrl: USUAL_URL, accountSid, authToken, fetch });
}

function startMock(MockApi) {
  const started = new MockApi({ seed: seed() });
  const kept = recall("mock");
  try {
    if (kept) started.restore(Uint8Array.from(atob(kept), (char) => char.charCodeAt(0)));
  } catch {
    // Saved by another version of the page: start over.
  }
  const save = () => keep("mock", btoa(Array.from(started.snapshot(), (byte) => String.fromCharCode(byte)).join("")));
  started.addEventListener("change", () => queueMicrotask(save));
  addEventListener("pagehide", save);
  return started;
}

const FAMILIAR = [
  ["2125550142", "Front desk, New York"],
  ["4155550117", "Bob Cell Phone"],
  ["3125550188", "Chicago office"],
  ["6175550163", "Support, evenings"],
  ["4155550100", "Company Main Line"],
  ["2065550129", "Warehouse"],
  ["3055550171"],
  ["5125550134", "Austin, Ana’s desk"],
  ["9175550155", "Lobby phone"],
  ["7025550196", "Événements · Las Vegas"],
  ["8085550108"],
  ["6045550183", "Vancouver office"],
];

/** The mock's initial caller IDs: a dozen, or as many as the address says, as in `?seed=120`. */
function seed() {
  const wanted = new URL(location).searchParams.get("seed");
  const count = wanted === null ? FAMILIAR.length : Math.min(Number(wanted) || 0, 2000);
  const hour = 3_600_000;
  return Array.from({ length: count }, (_, index) => {
    const generic = [String(2125550000 + index), `Extension ${index + 1}`];
    const [phoneNumber, friendlyName] = wanted === null ? FAMILIAR[index] : generic;
    return { phoneNumber, friendlyName, dateCreated: new Date(Date.now() - (1 + index * index) * 3 * hour) };
  });
}
