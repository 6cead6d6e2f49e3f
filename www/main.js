// The page: mounts its parts, and manages their connection.

import { announce } from "./announce.js";
import { mountCallerIds } from "./caller-ids.js";
import { loaded, PhoneNumber } from "./callerid.js";
import { Calls } from "./calls.js";
import { beginSession, connectToPage, connectToServer, connectToUrl, mockStarted, PATIENCE_MS } from "./connection.js";
import { byId, setText, show } from "./dom.js";
import { follow } from "./event-stream.js";
import { capital, explain } from "./messages.js";
import { dismiss, notify } from "./notice.js";
import { mountPhone } from "./phone.js";
import { mountProgress } from "./progress.js";
import { keep, recall } from "./session-storage.js";
import { mountSignIn } from "./sign-in.js";
import { mountTesting } from "./testing.js";
import { mountValidate } from "./validate.js";
import { Validations } from "./validations.js";
import { mountWire } from "./wire.js";
import { WireLog } from "./wire-log.js";

const log = new WireLog();
const calls = new Calls();
const validations = new Validations();

/** The connection; `null` if credentials are missing. */
let connection = null;
let tryNow = () => {};
/** The timer that retries a failed request while the event stream is open. */
let checking;
const CHECK_MS = 1000;
/** The name of a phone line whose calls ring only on the page's phone. */
const VIRTUAL = "virtual";
/** Whether the connection is currently lost, and whether it has ever been live. */
let wasLost = false;
let wasLive = false;
/** Whether the API has no events. */
let isPlain = false;
/** Whether calls ring only on the page's own phone. */
let isVirtual = true;
/** Credentials for another URL. Kept in memory only. */
let urlCredentials = null;

// While the core loads: mount what does not need it, and restore the tab's session.
mountWire(log);
const phone = mountPhone({ control, take, failed, changed: callsChanged, leave: leavePhone });
const progress = mountProgress({ again: (parameters) => form.again(parameters) });
const callerIds = mountCallerIds({ connection: () => connection, failed, read: wasRead });
const testing = mountTesting({ connection: () => connection, failed, enter: (number) => form.enter(number), seeded: () => callerIds.load() });
const { inAddress, requested } = host;
const session = inAddress && settled(beginSession(inAddress, requested));
const kept = recall("connection");
const first = session ? "server" : kept && kept !== "url" ? kept : host.connection;
callerIds.reset(first);
byId("connections").querySelector(`[value="${first}"]`).checked = true;
await Promise.all([loaded, first === "page" && mockStarted()]).catch(notStarted);
const form = mountValidate({
  ask,
  connection: () => connection,
  onAsked: goToCall,
  onProblem: forgetAnother,
  onFailure: failed,
  onExisting: (text) => callerIds.showNumber(text),
});
const signIn = mountSignIn({ connect: signInWith });

// ── Connections ──

/** Switches the page to a connection of this kind. */
function use(kind, { isAsked = false } = {}) {
  connection?.close();
  connection = null;
  clearTimeout(checking);
  calls.clear();
  wasLost = false;
  wasLive = false;
  isPlain = false;
  lineIs(kind === "url" ? null : VIRTUAL);
  dismiss(() => byId("connections").querySelector(":checked").focus());
  phone.reset();
  testing.show(false);
  form.reset();
  callerIds.reset(kind);
  byId("connections").querySelector(`[value="${kind}"]`).checked = true;
  keep("connection", kind);
  connection = open(kind);
  const interrupted = validations.reset(connection);
  if (interrupted) form.fill(interrupted);
  progress.update(validations.shown);
  if (!connection) {
    signIn.ask(kind, { focus: false });
    linkState("refused", "Not signed in");
    callerIds.refuse(kind === "url" ? "Connect to an API first" : "Sign in first");
    if (isAsked) announce(kind === "url" ? "Enter the URL and the credentials." : "Sign in to this server.");
    return;
  }
  signIn.dismiss();
  linkState("connecting", `Connecting to ${connection.place}`);
  tryNow = follow(connection, { live, change, lost, refused, plain, poll: () => callerIds.load() });
  callerIds.load();
  if (isAsked) announce(kind === "page" ? "This is a mock: the API now runs in this page." : `Connecting to ${connection.place}.`);
}

/** Switches the page to the connection that the user has chosen. */
async function choose(kind) {
  if (kind === "page") await mockStarted().catch(notStarted);
  // The user may have chosen another one meanwhile.
  if (byId("connections").querySelector(":checked").value === kind) use(kind, { isAsked: true });
}

function open(kind) {
  if (kind === "page") return connectToPage(log);
  const credentials = kind === "server" ? recall("session") : urlCredentials;
  if (!credentials) return null;
  try {
    return kind === "server" ? connectToServer(credentials, log) : connectToUrl(credentials, log);
  } catch (error) {
    notify({ title: "Invalid credentials.", detail: error.message });
    return null;
  }
}

async function signInWith(kind, { url, accountSid, authToken }) {
  if (kind === "server") {
    const session = await settled(beginSession({ accountSid, secret: authToken }));
    // The user may have chosen another connection meanwhile.
    if (byId("sign-in").hidden) return;
    if (session.error) {
      signInFailed(session.error, "Check the Account Sid and the token.");
      return;
    }
    keep("session", session.value);
  } else urlCredentials = { url, accountSid, authToken };
  const hadFocus = byId("sign-in").contains(document.activeElement);
  use(kind, { isAsked: true });
  if (hadFocus && byId("sign-in").hidden) byId("phone-number").focus();
}

/** Switches the page to the server, with the session from the code in the address. */
async function signInByAddress(session, { isAsked = false } = {}) {
  const { value, error } = await session;
  if (value) keep("session", value);
  use("server", { isAsked });
  if (error) signInFailed(error, "An address from callerid page works once, for ten minutes. Get a new one, or sign in below.");
}

/** Shows `advice` if the secret was wrong. */
function signInFailed(error, advice) {
  const { kind, text } = explain(error, { name: "this server", patience: PATIENCE_MS });
  notify({ title: text, detail: kind === "refused" ? advice : "Try again in a moment." });
}

/** Resolves to the `value` of a promise, or its `error`. */
function settled(promise) {
  return promise.then((value) => ({ value }), (error) => ({ error }));
}

function control() {
  const { control, options } = connection;
  return {
    answer: (sid) => control.answer(sid, options),
    press: (sid, digits) => control.press(sid, digits, options),
    hangUp: (sid) => control.hangUp(sid, options),
    call: (sid) => control.call(sid, options),
  };
}

function linkState(state, text) {
  byId("link-state").dataset.state = state;
  setText(byId("link-text"), text);
}

/** Describes a live connection. */
function liveText() {
  const { kind, place, accountSid } = connection;
  return kind === "page" ? "Nothing leaves this page" : `${place} · ${accountSid.slice(0, 6)}…${accountSid.slice(-4)}`;
}

async function live() {
  const current = connection;
  linkState("live", liveText());
  dismiss(() => byId("call-me").focus());
  if (wasLost) announce("The connection is back.");
  phone.reconnected();
  callerIds.reconnected();
  wasLost = false;
  // `use` loads the list the first time. After a reconnect, changes may have been missed.
  if (wasLive) callerIds.loadSoon();
  wasLive = true;
  const before = calls.all();
  try {
    const { control, options } = current;
    const [{ line, test: isTest = false }, known] = await Promise.all([control.health(options), control.calls(options)]);
    if (current !== connection) return;
    lineIs(line);
    testing.show(isTest);
    forgetAllBut(known, before);
    for (const call of known.reverse()) calls.take(call);
    callsChanged();
  } catch (error) {
    if (current === connection) failed(error);
  }
}

/** Forgets the calls that were known before, if the account has been reset since. */
function forgetAllBut(known, before) {
  const sids = new Set(known.map((call) => call.callSid));
  const gone = before.filter((call) => !sids.has(call.callSid));
  calls.forget(gone);
  validations.forget(gone);
}

/** Sets the name of the phone line, if known. The page's phone is shown only for the virtual line. */
function lineIs(name) {
  isVirtual = name === VIRTUAL;
  show(byId("phone-place"), isVirtual);
}

function plain() {
  isPlain = true;
  linkState("live", liveText());
  dismiss(() => byId("call-me").focus());
  callsChanged();
}

function lost(error) {
  const isFirst = !wasLost;
  wasLost = true;
  const reason = explain(error, connection);
  linkState("lost", "No connection");
  // A stream that has ended is reopened quickly. Say nothing unless that fails too.
  if (isFirst && error.message === "the stream has ended") return;
  notify({
    title: !navigator.onLine && connection.kind !== "page" ? "You are offline." : reason.text,
    detail: "Trying again. What you typed is kept.",
    actions: [["Try now", () => tryNow()]],
  });
}

function refused() {
  const { kind, name } = connection;
  if (kind === "server") keep("session", undefined);
  else urlCredentials = null;
  connection.close();
  connection = null;
  linkState("refused", "Not signed in");
  notify(kind === "server"
    ? { title: "Your session has ended.", detail: "Sign in again. What you typed is kept." }
    : { title: `${capital(name)} does not accept these credentials.`, detail: "Check the Account Sid and the token." });
  signIn.ask(kind);
  phone.reset();
  testing.show(false);
  callerIds.refuse("Sign in first");
}

/** Handles a failed request as far as the connection is concerned. The caller shows the error itself. */
function failed(error) {
  if (!connection) return;
  const { kind } = explain(error, connection);
  if (kind === "refused") refused();
  else if (kind === "unreachable" || kind === "slow") {
    if (byId("notice").hidden) notify({ title: explain(error, connection).text, detail: "What you typed is kept.", actions: [["Try now", again]] });
    tryNow();
    // The event stream may still be open, so it would not tell when the API is back.
    clearTimeout(checking);
    checking = setTimeout(() => wasLost || callerIds.load(), CHECK_MS);
  }
}

function again() {
  tryNow();
  callerIds.load();
}

/** After the list was fetched, the connection works again, unless the event stream is still lost. */
function wasRead(page) {
  clearTimeout(checking);
  if (!wasLost) dismiss(() => byId("call-me").focus());
  lookForVerified(page);
}

// ── Validations ──

/** Requests a validation, and follows its progress. */
async function ask(parameters) {
  const current = connection;
  const known = calls.all().map((call) => call.callSid);
  const request = await current.client.create(parameters, current.options);
  if (current !== connection) return;
  validations.add(parameters, request, known);
  callsChanged();
  if (!isPlain && !validations.shown.call) await findCall(current);
  bringCodeIntoView();
}

/** Looks for the validation's call, if no event has announced it yet. */
async function findCall(current) {
  try {
    for (const call of (await current.control.calls(current.options)).reverse()) calls.take(call);
    callsChanged();
  } catch {
    // The event stream will deliver the call, or report that it is lost.
  }
}

/** If the API has no events, a validation has succeeded when its number is in the list. */
function lookForVerified(page) {
  const found = isPlain ? validations.find(page.items) : [];
  if (found.length === 0) return;
  found.forEach(readyForNext);
  callsChanged();
}

/** Makes the form ready for the next number. */
const readyForNext = ({ parameters }) => form.clear(parameters);

function forgetAnother(phoneNumber) {
  validations.forgetAnother(phoneNumber);
  callsChanged();
}

// ── What changes ──

function change(change) {
  if (change.type === "call") take(change.call);
  else callerIds.loadSoon();
}

function take(call) {
  if (calls.take(call)) callsChanged();
}

function callsChanged() {
  validations.follow(calls, { isPlain, isVirtual }).forEach(readyForNext);
  const { state } = byId("phone").dataset;
  // The panel speaks of the call that the phone shows, if this page requested it.
  validations.show(isVirtual ? phone.update(calls.all(), validations.all) : undefined);
  progress.update(validations.shown);
  const isOther = byId("phone").dataset.state !== state;
  if (isOther && ["ringing", "talking"].includes(byId("phone").dataset.state)) bringCodeIntoView();
}

/** Scrolls so that the code is visible, and the phone below it on narrow screens. */
function bringCodeIntoView() {
  const code = byId("code").getBoundingClientRect();
  const phone = byId("phone-place");
  const { display, rowGap } = getComputedStyle(byId("main"));
  const isBelow = display === "flex" && !phone.hidden;
  // A ringing phone may be shown above its place, so its place is measured.
  const bottom = isBelow ? byId("validate").getBoundingClientRect().bottom + parseFloat(rowGap) + phone.offsetHeight : code.bottom;
  const by = Math.min(Math.max(bottom + 8 - innerHeight, 0), code.top - 8);
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (by !== 0) scrollBy({ top: by, behavior: isCalm ? "auto" : "smooth" });
}

/** Moves the focus to the next step after a request: the phone, or for a real line the code. */
function goToCall() {
  if (isVirtual) phone.focus();
  else byId("progress-code").focus({ preventScroll: true });
}

/** Moves the focus from the phone after a call. */
function leavePhone() {
  (validations.shown?.isVerified ? byId("caller-ids-title") : byId("call-again").hidden ? byId("call-me") : byId("call-again")).focus();
}

// ── Start ──

/** Shows that the core or the mock could not be loaded. */
function notStarted(error) {
  linkState("lost", "Not started");
  notify({
    title: "Part of this page could not be loaded.",
    detail: "The page does not work without it.",
    actions: [["Reload", () => location.reload()]],
  });
  throw error;
}

byId("connections").addEventListener("change", (event) => choose(event.target.value));
addEventListener("hashchange", () => {
  const credentials = host.takeFromAddress();
  if (credentials) signInByAddress(settled(beginSession(credentials)), { isAsked: true });
});

if (session) await signInByAddress(session);
else use(first);
performance.mark("callerid-started");
