// The page: its parts, the connection they share, and the validation that is under way.

import { announce } from "./announce.js";
import { mountCallerIds } from "./caller-ids.js";
import { loaded, PhoneNumber } from "./callerid.js";
import { Calls } from "./calls.js";
import { beginSession, connectToPage, connectToServer, connectToUrl, PATIENCE_MS } from "./connection.js";
import { byId, setText, show } from "./dom.js";
import { follow } from "./event-stream.js";
import { host } from "./host.js";
import { capital, explain } from "./messages.js";
import { dismiss, notify } from "./notice.js";
import { mountPhone } from "./phone.js";
import { isUnderWay, mountProgress } from "./progress.js";
import { keep, recall } from "./session-storage.js";
import { mountSignIn, takeFromAddress } from "./sign-in.js";
import { mountValidate } from "./validate.js";
import { mountWire } from "./wire.js";
import { WireLog } from "./wire-log.js";

const log = new WireLog();
const calls = new Calls();

/** The connection, or `null` where credentials are missing. */
let connection = null;
let tryNow = () => {};
/** Tries again what failed while the stream of events stands. */
let checking;
const CHECK_MS = 2000;
/** What a line is called that rings nowhere but here. */
const VIRTUAL = "virtual";
/** Whether the connection was lost and is yet to come back; whether it has stood before. */
let wasLost = false;
let wasLive = false;
/** Whether the API tells nothing by itself. */
let isPlain = false;
/** Whether calls ring on the page's own phone, and on no other. */
let isVirtual = true;
let validation = null;
/** Credentials for another URL: in memory only. */
let urlCredentials = null;

// While the core is on its way: what does without it, and what is kept of the tab's session.
mountWire(log);
const phone = mountPhone({ control, take, failed, leave: leavePhone });
const progress = mountProgress({ again: (parameters) => form.again(parameters) });
const callerIds = mountCallerIds({ connection: () => connection, failed, read: wasRead });
const inAddress = takeFromAddress();
const session = inAddress && settled(beginSession(inAddress));
const kept = recall("connection");
const first = session ? "server" : kept && kept !== "url" ? kept : host.connection;
callerIds.reset(first);
byId("connections").querySelector(`[value="${first}"]`).checked = true;
await loaded.catch(notStarted);
const form = mountValidate({
  ask,
  connection: () => connection,
  onFailure: (_, error) => failed(error),
  onExisting: (text) => callerIds.showNumber(text),
});
const signIn = mountSignIn({ connect: signInWith });

// ── Connections ──

/** Turns the page to a connection of that kind. */
function use(kind, { isAsked = false } = {}) {
  connection?.close();
  connection = null;
  clearTimeout(checking);
  calls.clear();
  wasLost = false;
  wasLive = false;
  isPlain = false;
  lineIs(kind === "url" ? null : VIRTUAL);
  validation = null;
  dismiss(() => byId("connections").querySelector(":checked").focus());
  phone.reset();
  form.reset();
  callerIds.reset(kind);
  byId("connections").querySelector(`[value="${kind}"]`).checked = true;
  keep("connection", kind);
  connection = open(kind);
  progress.update(null);
  if (!connection) {
    signIn.ask(kind, { focus: false });
    linkState("refused", "Not signed in");
    callerIds.refuse(kind === "url" ? "Connect to an API first" : "Sign in first");
    if (isAsked) announce(kind === "url" ? "Enter the URL and the credentials." : "Sign in to this server.");
    return;
  }
  signIn.dismiss();
  linkState("connecting", `Connecting to ${connection.place}`);
  recallValidation();
  tryNow = follow(connection, { live, change, lost, refused, plain, poll: () => callerIds.load() });
  callerIds.load();
  if (isAsked) announce(kind === "page" ? "The API now runs in this page." : `Connecting to ${connection.place}.`);
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
    // Meanwhile another connection may have been chosen.
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

/** Turns the page to the server, with the session that the code in the address was exchanged for. */
async function signInByAddress(session, { isAsked = false } = {}) {
  const { value, error } = await session;
  if (value) keep("session", value);
  use("server", { isAsked });
  if (error) signInFailed(error, "An address from callerid page works once, for ten minutes. Get a new one, or sign in below.");
}

/** `advice` is for whoever has the wrong secret. */
function signInFailed(error, advice) {
  const { kind, text } = explain(error, { name: "this server", patience: PATIENCE_MS });
  notify({ title: text, detail: kind === "refused" ? advice : "Try again in a moment." });
}

/** What became of a promise: its `value`, or its `error`. */
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

/** The name of a connection that is up. */
function liveText() {
  const { kind, place, accountSid } = connection;
  return kind === "page" ? "Mock, in this page" : `${place} · ${accountSid.slice(0, 6)}…${accountSid.slice(-4)}`;
}

async function live() {
  const current = connection;
  linkState("live", liveText());
  dismiss(() => byId("call-me").focus());
  if (wasLost) announce("The connection is back.");
  wasLost = false;
  // The first time it is read as the connection is opened; from then on, something may have been missed.
  if (wasLive) callerIds.loadSoon();
  wasLive = true;
  try {
    const { control, options } = current;
    const [{ line }, known] = await Promise.all([control.health(options), control.calls(options)]);
    if (current !== connection) return;
    lineIs(line);
    for (const call of known.reverse()) calls.take(call);
    callsChanged();
  } catch (error) {
    if (current === connection) failed(error);
  }
}

/** What the line is called, where that is known: the page's phone stands for a virtual one alone. */
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

function lost(error, retryAt) {
  const isFirst = !wasLost;
  wasLost = true;
  const reason = explain(error, connection);
  linkState("lost", "No connection");
  // A stream that ends is tried again at once: the first time is not worth a word unless that fails too.
  if (isFirst && error.message === "the stream has ended") return;
  const title = !navigator.onLine && connection.kind === "url" ? "You are offline." : reason.text;
  const detail = connection.kind === "server"
    ? "It may have stopped, or may still be starting. What you typed is kept, and a call in progress continues."
    : "What you typed is kept.";
  notify({
    title,
    detail,
    until: retryAt,
    actions: [["Try now", () => tryNow()], ...(connection.kind === "page" ? [] : [["Use the mock API in this page", () => use("page", { isAsked: true })]])],
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
    ? { title: "Your session has ended.", detail: "A session lasts twelve hours, unless the account’s token is changed. Sign in again." }
    : { title: `${capital(name)} does not accept these credentials.`, detail: "Check the Account Sid and the token." });
  signIn.ask(kind);
  phone.reset();
  callerIds.refuse("Sign in first");
}

/** A request failed. Its caller reports that; this looks after the connection. */
function failed(error) {
  if (!connection) return;
  const { kind } = explain(error, connection);
  if (kind === "refused") refused();
  else if (kind === "unreachable" || kind === "slow") {
    if (byId("notice").hidden) notify({ title: explain(error, connection).text, detail: "What you typed is kept.", actions: [["Try now", again]] });
    tryNow();
    // The stream of events may stand all the same, and would never say that the rest is back.
    clearTimeout(checking);
    checking = setTimeout(() => wasLost || callerIds.load(), CHECK_MS);
  }
}

function again() {
  tryNow();
  callerIds.load();
}

/** The list has been read: whatever was wrong is over, unless the stream of events is still to come back. */
function wasRead(page) {
  clearTimeout(checking);
  if (!wasLost) dismiss(() => byId("call-me").focus());
  lookForVerified(page);
}

// ── The validation ──

/** Sends a request for a validation, and follows what becomes of it. */
async function ask(parameters) {
  const current = connection;
  const known = new Set(calls.all().map((call) => call.callSid));
  const request = await current.client.create(parameters, current.options);
  if (current !== connection) return;
  const { phoneNumber, validationCode } = request;
  validation = newValidation({ parameters, phoneNumber, code: validationCode, known: [...known] });
  callsChanged();
  if (!isPlain && !validation.call) await findCall(current);
  bringCodeIntoView();
}

function newValidation(kept) {
  const { national } = PhoneNumber.parsePossible(kept.phoneNumber);
  return { ...kept, national, call: null, entriesAtFirst: 3, isVerified: kept.isVerified ?? false, skew: kept.skew ?? 0, isPlain, isVirtual };
}

/** Its call, where no event has told of it yet. */
async function findCall(current) {
  try {
    for (const call of (await current.control.calls(current.options)).reverse()) calls.take(call);
    callsChanged();
  } catch {
    // The stream of events will tell, or say that it is lost.
  }
}

function keepValidation() {
  if (!connection || connection.kind === "url") return;
  const { parameters, phoneNumber, code, known, callSid, skew } = validation;
  keep(`validation.${connection.kind}`, { parameters, phoneNumber, code, known, callSid, skew });
}

function recallValidation() {
  const kept = connection.kind === "url" ? undefined : recall(`validation.${connection.kind}`);
  if (!kept) return;
  form.fill(kept.parameters);
  validation = newValidation(kept);
  validation.isSilent = true;
  progress.update(validation);
}

/** A validation is over for an API that tells of no calls when its number is in the list. */
function lookForVerified(page) {
  if (!isPlain || !isUnderWay(validation)) return;
  const found = page.items.some((callerId) => callerId.phoneNumber === validation.phoneNumber);
  if (found) {
    validation.isVerified = true;
    callsChanged();
  }
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
  if (validation) {
    const { callSid, phoneNumber, known } = validation;
    const call = callSid ? calls.get(callSid) : calls.all().find((it) => it.phoneNumber === phoneNumber && !known.includes(it.callSid));
    Object.assign(validation, { isPlain, isVirtual });
    if (call) {
      if (!callSid) validation.skew = skewOf(call);
      validation.callSid = call.callSid;
      validation.call = call;
    }
    keepValidation();
  }
  progress.update(validation);
  const { state } = byId("phone").dataset;
  if (isVirtual) phone.update(calls.all(), validation?.callSid);
  const isOther = byId("phone").dataset.state !== state;
  // The keypad's sheet is higher than the one that rings.
  if (isOther && ["ringing", "talking"].includes(byId("phone").dataset.state)) bringCodeIntoView();
}

/** By how much another clock is ahead of this one, in milliseconds, from a call that was made just now. */
function skewOf(call) {
  const skew = call.createdAt - Date.now();
  return Math.abs(skew) > 2000 ? skew : 0;
}

/** Where the phone is a sheet, the code must not be under it, nor above the window. */
function bringCodeIntoView() {
  const code = byId("progress-code");
  const sheet = byId("phone");
  const isSheet = getComputedStyle(sheet).position === "fixed";
  const bottom = isSheet ? innerHeight - sheet.offsetHeight : innerHeight;
  const box = code.getBoundingClientRect();
  if (box.top >= 0 && box.bottom <= bottom) return;
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scrollTo({ top: scrollY + box.top - 8, behavior: isCalm ? "auto" : "smooth" });
}

/** The phone is done, and had the focus. */
function leavePhone() {
  const isVerified = validation?.call?.verificationStatus === "success";
  (isVerified ? byId("caller-ids-title") : byId("call-again").hidden ? byId("call-me") : byId("call-again")).focus();
}

// ── Start ──

/** The core did not load: the page says so. */
function notStarted(error) {
  linkState("lost", "Not started");
  notify({
    title: "Part of this page could not be loaded.",
    detail: "The page does not work without it.",
    actions: [["Reload", () => location.reload()]],
  });
  throw error;
}

byId("connections").addEventListener("change", (event) => use(event.target.value, { isAsked: true }));
addEventListener("hashchange", () => {
  const credentials = takeFromAddress();
  if (credentials) signInByAddress(settled(beginSession(credentials)), { isAsked: true });
});

if (session) await signInByAddress(session);
else use(first);
performance.mark("callerid-started");
