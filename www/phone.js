// The phone: shows the ringing call, answers it, keys digits and hangs up.

import { announce } from "./announce.js";
import { PhoneNumber } from "./callerid.js";
import { isLive } from "./calls.js";
import { byId, element, isBusy, setBusy, setText, show } from "./dom.js";
import { attemptsLeft, clock } from "./messages.js";
import { Sound } from "./sound.js";

const CODE_DIGITS = 6;
/** How long an ended call is shown. */
const OVER_MS = 8000;
const FLASH_MS = 150;

const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"],
  ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
  ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"],
  ["*", "", "Star, start again"], ["0", "+"], ["#", "", "Hash, finish"],
];

/**
 * Mounts the phone. `control()` returns the control surface for its buttons; `take(call)` is called with the resulting call, or
 * `failed(error)` with an error. `leave()` moves the focus when the phone has nothing more to show.
 */
export function mountPhone({ control, take, failed, leave }) {
  const root = byId("phone");
  const keypad = byId("keypad");
  const keyed = byId("phone-keyed");
  const answer = byId("phone-answer");
  const decline = byId("phone-decline");
  const end = byId("phone-end");
  const done = byId("phone-done");
  const sound = new Sound();

  let call = null;
  /** The number of other ringing calls. */
  let others = 0;
  /** The digits of this entry; `•` for those keyed elsewhere. */
  let digits = [];
  /** Keys to be sent, and whether a request is in progress. */
  let waiting = "";
  let isSending = false;
  let entriesLeft = 0;
  let wasWrong = false;
  /** Whether sending keys failed. */
  let wasLost = false;
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

  const state = () => {
    if (!call) return "rest";
    return { ringing: "ringing", "in-progress": "talking" }[call.status] ?? "over";
  };

  const draw = () => {
    const now = state();
    const before = root.dataset.state;
    const hadFocus = root.contains(document.activeElement);
    root.dataset.state = now;
    root.dataset.outcome = call?.verificationStatus === "success" ? "good" : "bad";
    const number = call ? PhoneNumber.parsePossible(call.phoneNumber).national : "";
    setText(byId("phone-what"), { rest: "Ready to ring", ringing: "Caller ID validation", talking: "Caller ID validation", over: "Call ended" }[now]);
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
    drawKeyed();
    drawTime();
    sound.ring(now === "ringing");
    document.title = now === "ringing" ? `Ringing: ${number} · callerid` : "callerid: outgoing caller IDs";
    if (now !== before) {
      clearTimeout(resting);
      if (now === "over") restLater();
      if (hadFocus) moveFocus(now);
    }
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
    const isWrong = wasWrong && digits.length === 0;
    setText(says, wasLost ? "That key was not sent. Press ✱ to start again."
      : isWrong ? `Wrong code. ${attemptsLeft(call)}.` : "“Please enter the six digits.”");
    says.dataset.tone = isWrong || wasLost ? "warn" : "";
  };

  const drawTime = () => {
    clearTimeout(ticking);
    const now = state();
    if (now === "talking") {
      const seconds = Math.max(0, Math.floor((Date.now() - (call.answeredAt ?? Date.now())) / 1000));
      setText(byId("phone-state"), `Answered · ${clock(seconds)}${othersRing()}`);
      ticking = setTimeout(drawTime, 1000);
    } else {
      setText(byId("phone-state"), now === "ringing" ? `Ringing…${othersRing()}` : "");
    }
  };

  const othersRing = () => (others === 0 ? "" : others === 1 ? " · 1 other ringing" : ` · ${others} others ringing`);

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
    draw();
  };

  const press = (label) => {
    if (state() !== "talking") return;
    sound.key(label);
    flash(keys.get(label));
    if (label === "*") digits = [];
    else if (label !== "#") digits = [...(digits.length >= CODE_DIGITS ? [] : digits), label];
    wasWrong = false;
    wasLost = false;
    drawKeyed();
    waiting += label;
    send();
  };

  /** Sends keys in order, one request at a time. Keys pressed meanwhile go into the next request. */
  const send = async () => {
    if (isSending) return;
    isSending = true;
    const { callSid } = call;
    while (waiting !== "" && call?.callSid === callSid) {
      const keysSent = waiting;
      waiting = "";
      try {
        take(await control().press(callSid, keysSent));
      } catch (error) {
        waiting = "";
        wasLost = true;
        announce("That key was not sent. Press star to start again.");
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

  return {
    /**
     * Chooses the call to show, in this order: the one being keyed here, the one that this page requested (`ownSid`), the one
     * already shown, the newest.
     */
    update: (calls, ownSid) => {
      const known = call && calls.find((it) => it.callSid === call.callSid);
      const atPhone = calls.filter((it) => it.status === "ringing" || it.status === "in-progress");
      const isKeyed = known?.status === "in-progress" && root.contains(document.activeElement);
      const own = atPhone.find((it) => it.callSid === ownSid);
      const next = (isKeyed && known) || own || (known && isLive(known) && known) || atPhone[0] || known || null;
      if (next && !isLive(next) && !call) return;
      others = atPhone.filter((it) => it.status === "ringing" && it.callSid !== next?.callSid).length;
      if (next?.callSid !== call?.callSid) {
        digits = [];
        waiting = "";
        wasWrong = false;
        wasLost = false;
        entriesLeft = next?.entriesLeft ?? 0;
      } else if (next && next.entriesLeft < entriesLeft) {
        entriesLeft = next.entriesLeft;
        digits = [];
        wasWrong = true;
        root.dataset.wrong = "false";
        requestAnimationFrame(() => (root.dataset.wrong = "true"));
      }
      call = next;
      draw();
      settle();
    },
    reset: rest,
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
