// The progress of a validation: the code, the four steps, and advice if one fails.

import { announce } from "./announce.js";
import { byId, copy, element, icon, setText, setUnbroken, show } from "./dom.js";
import { attemptsLeft, clock, spelled, spokenSeconds } from "./messages.js";

/** The four steps, and their initial texts, from the HTML. */
const STEPS = [...byId("steps").children].map(stepOf);
const REST = STEPS.map(({ text }) => text.textContent);

/** What happened, and what to do, for each cause of a failed call. */
const FAILURES = {
  "no-trunk": ["The phone network could not be reached", "Call again later."],
  "refused": ["The phone network refused the call", "Call again later, or try another number."],
  "no-such-number": ["The call failed", "Check the number, and call again."],
  "media-lost": ["The connection to the phone was lost", "Call again for a new code."],
  "call-lost": ["The server was restarted during the call", "Call again for a new code."],
  "line-stopped": ["The operator stopped the phone line", "Call again later."],
  "not-allowed": ["The number may not be called now", "It became too late there, or its owner wants no calls."],
};

/** The seconds of a countdown that are announced. */
const MILESTONES = new Set([60, 30, 10, 5]);

/**
 * Describes the state of a validation.
 *
 * `steps` are the four steps; each `is` `done`, `now`, `next` or `failed`. `state` names the state, `advice` says what to
 * do after a failure, `says` is the announcement for screen readers, and `waits` the seconds until the phone rings.
 */
export function describe(validation, now) {
  if (!validation) {
    return { state: "rest", steps: REST.map((text) => ({ is: "next", text })) };
  }
  const { call, national } = validation;
  const requested = { is: "done", text: "Validation requested" };
  const added = { is: "next", text: "Added to your caller IDs" };
  const key = { is: "next", text: "Enter the code" };
  const failed = (step, text, advice, state = "failed") => {
    const before = [requested, { is: "done", text: `Rang ${national}` }, { is: "done", text: "Answered" }].slice(0, step);
    const after = [requested, { is: "next", text: "Ringing" }, key, added].slice(step + 1);
    return { state, steps: [...before, { is: "failed", text }, ...after], advice, says: `${text}. ${advice}`, isOver: true };
  };
  if (validation.isVerified || call?.verificationStatus === "success") {
    const text = `${national} is one of your caller IDs`;
    return {
      state: "verified",
      steps: [requested, { is: "done", text: `Rang ${national}` }, { is: "done", text: "Answered, and the code was correct" }, { is: "done", text }],
      says: `Verified. ${text}.`,
      isOver: true,
    };
  }
  if (!call) {
    const text = validation.isPlain ? `Calling ${national}` : `Calling ${national}…`;
    const note = validation.isPlain ? "This API does not report how the call goes. The list is refreshed every few seconds." : "";
    return { state: "asked", steps: [requested, { is: "now", text, note }, key, added], says: `Calling ${national}.` };
  }
  const expired = call.endedAt !== null && call.endedAt >= call.expiresAt;
  const answered = call.answeredAt !== null;
  switch (call.status) {
    case "queued": {
      const waits = Math.max(0, Math.ceil((call.dueAt - now) / 1000));
      return {
        state: "queued",
        waits,
        steps: [requested, { is: "now", text: waits > 0 ? `Calling ${national} in ${spokenSeconds(waits)}` : `Calling ${national}` }, key, added],
        says: `The phone rings in ${spokenSeconds(waits)}.`,
      };
    }
    case "ringing":
      return {
        state: "ringing",
        steps: [requested, { is: "now", text: `Ringing ${national}` }, key, added],
        says: `Ringing ${national}.`,
      };
    case "in-progress": {
      const left = call.entriesLeft;
      const attempts = attemptsLeft(call);
      const isWrong = left < validation.entriesAtFirst;
      return {
        state: isWrong ? `wrong-${left}` : "answered",
        steps: [
          requested,
          { is: "done", text: `Rang ${national}` },
          { is: "now", text: "Answered: waiting for the code", note: isWrong ? `Wrong code: ${attempts}` : attempts, tone: isWrong ? "warn" : "" },
          added,
        ],
        says: isWrong ? `Wrong code. ${attempts}.` : `Answered. Enter the code on the phone: ${attempts}.`,
      };
    }
    case "busy":
      return failed(1, `${national} was busy or declined the call`, "Call again when the phone is free.", "busy");
    case "no-answer":
      return failed(1, `Nobody answered ${national}`, "Keep the phone nearby, and call again.", "no-answer");
    case "canceled":
      return failed(answered ? 2 : 1, "Replaced by another request for this number", "Enter the code of that request, or call again.", "canceled");
    default:
      if (expired) return failed(answered ? 2 : 1, "The code expired after ten minutes", "Call again for a new code.", "expired");
      if (call.entriesLeft === 0) return failed(2, "The call ended after three wrong codes", "Call again for a new code.", "wrong-0");
      if (call.status === "completed") return failed(2, "Hung up before the code was entered", "Call again, and enter the new code.", "hung-up");
      return failed(answered ? 2 : 1, ...(FAILURES[call.failure] ?? FAILURES["no-such-number"]));
  }
}

/** Whether a validation is in progress. */
export const isUnderWay = (validation) => Boolean(validation) && !describe(validation, Date.now()).isOver;

const MARKS = { done: "check", failed: "cross" };
const SPOKEN = { done: "Done: ", now: "Now: ", next: "Next: ", failed: "Failed: " };

/** Mounts the panel. `again` requests another call with the same number and name. */
export function mountProgress({ again }) {
  const panel = byId("progress");
  let validation = null;
  let said = null;
  let ticking;

  const draw = () => {
    const now = Date.now() + (validation?.skew ?? 0);
    const shown = describe(validation, now);
    const isOver = shown.isOver ?? false;
    panel.dataset.state = shown.state;
    panel.dataset.spent = String(isOver);
    drawCode(shown, isOver);
    shown.steps.forEach((step, index) => drawStep(STEPS[index], step, index, shown.state === "rest"));
    setText(byId("progress-advice"), shown.advice ?? "");
    show(byId("call-again"), Boolean(shown.advice));
    show(byId("no-call"), ["asked", "queued", "ringing"].includes(shown.state));
    drawExpiry(now, isOver);
    say(shown);
    clearTimeout(ticking);
    if (validation && !isOver) ticking = setTimeout(draw, 1000 - (now % 1000) + 5);
  };

  const drawCode = (shown, isOver) => {
    const code = validation?.code;
    const [first, second] = byId("code-digits").children;
    setText(first, code ? code.slice(0, 3) : "•••");
    setText(second, code ? code.slice(3) : "•••");
    setText(byId("code-spoken"), code ? spelled(code) : "none yet");
    setText(byId("code-label"), !code ? "Your code appears here"
      : shown.state === "verified" ? "This code was correct" : isOver ? "This code no longer works" : "Enter this code on the phone");
    byId("copy-code").disabled = !code || isOver;
  };

  const drawExpiry = (now, isOver) => {
    const expiresAt = validation?.call?.expiresAt;
    const left = expiresAt ? Math.max(0, Math.ceil((expiresAt - now) / 1000)) : 0;
    setText(byId("code-expiry"), expiresAt && !isOver ? `Valid for ${clock(left)}` : "");
    if (left === 60 && !isOver && validation.warned !== true) {
      validation.warned = true;
      announce("The code expires in one minute.");
    }
  };

  const say = (shown) => {
    if (shown.state === "queued") {
      if (said === "queued" && MILESTONES.has(shown.waits) && validation.saidAt !== shown.waits) {
        validation.saidAt = shown.waits;
        announce(shown.says);
      }
    }
    if (said === shown.state) return;
    said = shown.state;
    if (shown.says && !validation.isSilent) announce(shown.says);
    if (validation) validation.isSilent = false;
  };

  byId("copy-code").addEventListener("click", () => {
    copy(validation.code, byId("copy-code-text"));
    announce("The code is copied.");
  });
  for (const id of ["call-again", "no-call-again"]) {
    byId(id).addEventListener("click", () => {
      // The new call hides this button, so move the focus first.
      byId("call-me").focus();
      again(validation.parameters);
    });
  }

  return {
    /** Shows a validation; `null` shows the initial state. */
    update: (next) => {
      if (next !== validation) {
        said = next ? null : "rest";
        if (next && !next.isSilent) announce(`Your code is ${spelled(next.code)}.`);
      }
      validation = next;
      setText(byId("no-call-list"), "");
      if (next) byId("no-call-list").append(...reasons(next));
      draw();
    },
  };
}

function reasons({ isVirtual, national }) {
  const own = isVirtual
    ? "No real phone rings, but the one on this page. It waits for you to answer."
    : "The call goes to the real phone, from a number you may not know: answer it.";
  return [own, `Is ${national} the right number, and is that phone switched on and not busy?`, "A new call has a new code, and the old one stops working."]
    .map((text) => element("li", {}, text));
}

/** The elements of a step. */
function stepOf(item) {
  const [mark, words] = item.children;
  const [spoken, text, note] = words.children;
  return { item, mark, spoken, text, note };
}

function drawStep(step, { is, text, note = "", tone = "" }, index, isRest) {
  const drawn = `${is} ${isRest}`;
  if (step.drawn !== drawn) {
    step.drawn = drawn;
    step.item.dataset.is = is;
    if (is === "now") step.item.setAttribute("aria-current", "step");
    else step.item.removeAttribute("aria-current");
    const mark = MARKS[is];
    step.mark.replaceChildren(...(mark ? [icon(mark)] : is === "now" ? [] : [String(index + 1)]));
  }
  setText(step.spoken, isRest ? "" : SPOKEN[is]);
  setUnbroken(step.text, text);
  setText(step.note, note);
  step.note.dataset.tone = tone;
  show(step.note, note !== "");
}
