// The phone: shows the ringing call, answers it, keys digits and hangs up.

import { announce } from "./announce.js";
import { PhoneNumber } from "./callerid.js";
import { byId, element, isBusy, setBusy, setText, show } from "./dom.js";
import { attemptsLeft, clock } from "./messages.js";
import { Sound } from "./sound.js";

const CODE_DIGITS = 6;
/** How long an ended call is shown. */
const OVER_MS = 8000;
const FLASH_MS = 150;

const LOST = "That key was not sent. Press ✱ to start again.";
/** The phone's state for a call's status, if it can be answered or is answered. */
const STATES = { ringing: "ringing", "in-progress": "talking" };
const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"],
  ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
  ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"],
  ["*", "", "Star, start again"], ["0", "+"], ["#", "", "Hash, finish"],
];

/**
 * Mounts the phone. `control()` returns the control surface for its buttons; `take(call)` is called with the resulting call, or
 * `failed(error)` with an error. `changed()` is called when another call is to be shown; it calls `update`. `leave()` moves the focus when
 * the phone has nothing more to show.
 */
export function mountPhone({ control, take, failed, changed, leave }) {
  const root = byId("phone");
  const keypad = byId("keypad");
  const keyed = byId("phone-keyed");
  const answer = byId("phone-answer");
  const decline = byId("phone-decline");
  const end = byId("phone-end");
  const done = byId("phone-done");
  const other = byId("phone-other");
  const paste = byId("phone-paste");
  const sound = new Sound();

  let call = null;
  /** All known calls, the validations of this page, and the call that the user chose among several. */
  let calls = [];
  let own = [];
  let chosenSid;
  /** The digits of this entry; `•` for those keyed elsewhere. */
  let digits = [];
  /** Keys to be sent, and whether a request is in progress. */
  let waiting = "";
  let isSending = false;
  let entriesLeft = 0;
  let warning = "";
  let drawnSid;
  let resting;
  let ticking;

  const keys = new Map(KEYS.map(([label, letters, name]) => {
    const key = element("button", { type: "button", className: "key" },
      element("span", { className: "key-label" }, label === "*" ? "✱" : label),
      element("span", { className: "key-letters", attributes: { "aria-hidden": "true" } }, letters));
    key.setAttribute("aria-label", name ?? label);
    key.addEventListener("click", () => press(label));
    return [label, key];
  }));
  keypad.append(...keys.values());
  const slots = Array.from({ length: CODE_DIGITS }, () => element("span", { className: "keyed", attributes: { "aria-hidden": "true" } }));
  const keyedSpoken = element("span", { className: "visually-hidden" });
  keyed.append(...slots, keyedSpoken);

  const state = () => (call ? STATES[call.status] ?? "over" : "rest");
  const isOwn = () => call !== null && own.some((it) => it.callSid === call.callSid);

  const draw = () => {
    const now = state();
    const before = root.dataset.state;
    const hadFocus = root.contains(document.activeElement);
    const isAnother = call?.callSid !== drawnSid;
    drawnSid = call?.callSid;
    root.dataset.state = now;
    root.dataset.outcome = call?.verificationStatus === "success" ? "good" : "bad";
    const number = call ? PhoneNumber.parsePossible(call.phoneNumber).national : "";
    setText(byId("phone-what"), { rest: "Ready to ring", ringing: whatRings(), talking: whatRings(), over: "Call ended" }[now]);
    setText(byId("phone-number-shown"), number);
    byId("phone-avatar-icon").setAttribute("href", now === "over" ? `#icon-${call.verificationStatus === "success" ? "check" : "cross"}` : "#icon-handset");
    show(byId("phone-rest"), now === "rest");
    show(byId("phone-call"), now === "talking");
    show(byId("phone-outcome"), now === "over");
    show(byId("phone-answer-place"), now === "ringing");
    show(byId("phone-decline-place"), now === "ringing");
    show(byId("phone-end-place"), now === "talking");
    show(done, now === "over");
    setText(byId("phone-outcome"), now === "over" ? outcome(call) : "");
    drawOthers();
    drawKeyed();
    drawTime();
    sound.ring(now === "ringing");
    document.title = now === "ringing" ? `Ringing: ${number} · callerid` : "callerid: outgoing caller IDs";
    if (now !== before) {
      clearTimeout(resting);
      if (now === "over") restLater();
    }
    if (hadFocus && (now !== before || isAnother)) moveFocus(now);
  };

  const whatRings = () => (isOwn() ? "Caller ID validation" : "Requested elsewhere");

  /** The calls that can be answered or are answered, except the one that is shown. */
  const others = () => calls.filter((it) => it.status in STATES && it.callSid !== call?.callSid);

  const drawOthers = () => {
    const { length } = others();
    show(other, length > 0 && state() !== "rest");
    setText(other, length === 1 ? "1 other call" : `${length} other calls`);
  };

  const moveFocus = (now) => {
    if (now === "ringing") answer.focus({ preventScroll: true });
    else if (now === "talking") keypad.focus({ preventScroll: true });
    else if (now === "over") done.focus({ preventScroll: true });
    else leave(call);
  };

  const drawKeyed = () => {
    slots.forEach((slot, index) => {
      setText(slot, digits[index] ?? "");
      slot.dataset.filled = String(index < digits.length);
    });
    setText(keyedSpoken, state() === "talking" ? `${digits.length} of ${CODE_DIGITS} digits entered` : "");
    const says = byId("phone-says");
    setText(says, warning || (!call || isOwn() ? "“Please enter the six digits.”" : "Its code is shown where it was requested."));
    says.dataset.tone = warning ? "warn" : "";
  };

  const drawTime = () => {
    clearTimeout(ticking);
    const isTalking = state() === "talking";
    const seconds = isTalking ? Math.max(0, Math.floor((Date.now() - (call.answeredAt ?? Date.now())) / 1000)) : 0;
    setText(byId("phone-state"), isTalking ? `Answered · ${clock(seconds)}` : state() === "ringing" ? "Ringing…" : "");
    if (isTalking) ticking = setTimeout(drawTime, 1000);
  };

  /** Hides an ended call after a while, but not while the phone has the focus. */
  const restLater = () => {
    resting = setTimeout(() => {
      if (root.contains(document.activeElement)) restLater();
      else rest();
    }, OVER_MS);
  };

  const rest = () => {
    clearTimeout(resting);
    call = null;
    chosenSid = undefined;
    changed();
  };

  const press = (label) => {
    if (state() !== "talking") return;
    sound.key(label);
    flash(keys.get(label));
    if (label === "*") digits = [];
    else if (label !== "#") digits = [...(digits.length >= CODE_DIGITS ? [] : digits), label];
    // Another call's code would be a wrong entry here, so its last digit is not sent.
    const owners = own.filter((it) => it.code === digits.join(""));
    const isMistaken = owners.length > 0 && owners.every((it) => it.callSid !== call.callSid);
    if (isMistaken) digits = [];
    warn(isMistaken ? `That is the code for ${owners[0].national}, not for this call.` : "");
    waiting += isMistaken ? "*" : label;
    send();
  };

  /** Keys a code, in place of the digits before. */
  const enter = (text) => {
    const [code] = /^\D*(\d\D*){6}$/.test(text) ? [text.replace(/\D/g, "")] : [];
    if (code) for (const key of digits.length > 0 ? `*${code}` : code) press(key);
    else warn("What you pasted is not a six-digit code.");
  };

  const warn = (text) => {
    warning = text;
    drawKeyed();
    if (text) announce(text);
  };

  /** Sends keys in order, one request at a time. Keys pressed meanwhile go into the next request. */
  const send = async () => {
    if (isSending) return;
    isSending = true;
    while (waiting !== "" && state() === "talking") {
      const { callSid } = call;
      const keysSent = waiting;
      waiting = "";
      try {
        take(await control().press(callSid, keysSent));
      } catch (error) {
        if (call?.callSid === callSid) {
          waiting = "";
          warning = LOST;
          announce("That key was not sent. Press star to start again.");
        }
        await lookAgain(callSid, error);
      }
    }
    isSending = false;
    settle();
  };

  /** Shows the digits as the service counts them, once all keys are sent. */
  const settle = () => {
    if (!call || isSending || waiting !== "") return;
    const { digitsKeyed } = call;
    if (digitsKeyed !== digits.length) {
      digits = digits.slice(0, digitsKeyed);
      while (digits.length < digitsKeyed) digits.push("•");
    }
    drawKeyed();
  };

  const act = async (button, action) => {
    if (isBusy(button) || !call) return;
    const { callSid } = call;
    setBusy(button, true);
    try {
      take(await action(control(), callSid));
    } catch (error) {
      await lookAgain(callSid, error);
    } finally {
      setBusy(button, false);
    }
  };

  /** After a failed action, fetches the call, because it may have changed elsewhere. */
  const lookAgain = async (callSid, error) => {
    try {
      if (error.status === 409) take(await control().call(callSid));
      else failed(error);
    } catch (second) {
      failed(second);
    }
  };

  const flash = (key) => {
    key.dataset.down = "true";
    setTimeout(() => delete key.dataset.down, FLASH_MS);
  };

  answer.addEventListener("click", () => act(answer, (it, sid) => it.answer(sid)));
  decline.addEventListener("click", () => act(decline, (it, sid) => it.hangUp(sid)));
  end.addEventListener("click", () => act(end, (it, sid) => it.hangUp(sid)));
  done.addEventListener("click", rest);
  // Digits on the keyboard press keys only while the phone has the focus. Elsewhere they are text input.
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys.has(event.key)) return;
    event.preventDefault();
    press(event.key);
  });
  byId("phone-sound").addEventListener("click", () => {
    sound.turn(!sound.isOn);
    byId("phone-sound").setAttribute("aria-pressed", String(sound.isOn));
    byId("phone-sound-icon").setAttribute("href", sound.isOn ? "#icon-sound-on" : "#icon-sound-off");
    announce(sound.isOn ? "Sound is on." : "Sound is off.");
  });

  other.addEventListener("click", () => {
    const live = calls.filter((it) => it.status in STATES);
    const at = live.findIndex((it) => it.callSid === call?.callSid);
    chosenSid = live[(at + 1) % live.length].callSid;
    changed();
  });

  // A code is pasted wherever the focus is, except in a field.
  document.addEventListener("paste", (event) => {
    if (state() !== "talking" || event.target.closest?.("input")) return;
    event.preventDefault();
    enter(event.clipboardData.getData("text"));
  });
  paste.addEventListener("click", async () => {
    try {
      enter(await navigator.clipboard.readText());
    } catch {
      warn("This browser does not allow that. Press Ctrl+V.");
    }
  });

  /** Shows, in this order: the call that the user chose, this page's newest, the one shown already, the newest of others. */
  const choose = () => {
    const find = (sid) => calls.find((it) => it.callSid === sid);
    const isLive = (it) => it?.status in STATES;
    const at = own.findIndex((it) => it.callSid === call?.callSid);
    const newer = own.slice(0, at < 0 ? own.length : at).map((it) => find(it.callSid)).find(isLive);
    const next = find(chosenSid) ?? newer ?? find(call?.callSid) ?? calls.find(isLive) ?? null;
    if (next?.callSid !== call?.callSid) {
      digits = [];
      waiting = "";
      warning = "";
      entriesLeft = next?.entriesLeft ?? 0;
    } else if (next && next.entriesLeft < entriesLeft) {
      entriesLeft = next.entriesLeft;
      digits = [];
      warning = `Wrong code. ${attemptsLeft(next)}.`;
      root.dataset.wrong = "false";
      requestAnimationFrame(() => (root.dataset.wrong = "true"));
    }
    call = next;
    draw();
    settle();
  };

  return {
    /**
     * Takes all known calls, newest first, and this page's validations, newest first. Returns the Sid of the call that
     * is shown.
     */
    update: (next, validations) => {
      if (validations[0] !== own[0]) chosenSid = undefined;
      calls = next;
      own = validations;
      choose();
      return call?.callSid;
    },
    /** Moves the focus to the next step of this page's call, or to where that will be. */
    focus: () => (isOwn() ? moveFocus(state()) : root.focus({ preventScroll: true })),
    /** Forgets what failed while there was no connection. */
    reconnected: () => {
      if (warning === LOST) warning = "";
      drawKeyed();
    },
    reset: () => {
      calls = [];
      own = [];
      call = null;
      chosenSid = undefined;
      choose();
    },
  };
}

function outcome(call) {
  if (call.verificationStatus === "success") return "“Thank you. The code was correct. Goodbye.”";
  switch (call.status) {
    case "busy": return "Declined.";
    case "no-answer": return "Nobody answered.";
    case "canceled": return "Replaced by another request for this number.";
  }
  if (call.entriesLeft === 0) return "“That code was wrong. Goodbye.”";
  if (call.endedAt >= call.expiresAt) return "The code has expired.";
  return call.status === "completed" ? "Hung up before the code was entered." : "The call failed.";
}
