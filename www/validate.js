// The form that requests a validation. The core checks the input, and the form does not change it.

import { announce } from "./announce.js";
import { CallDelay, FriendlyName, PhoneNumber } from "./callerid.js";
import { byId, element, icon, isBusy, setBusy, setText } from "./dom.js";
import { excerpt, explain, nameProblem, unfinished } from "./messages.js";

/** After this time, the form says that the server is slow. */
const SLOW_MS = 4000;
/** The pause in typing before feedback is announced. */
const SAY_MS = 900;

const number = byId("phone-number");
const name = byId("friendly-name");
const delay = byId("call-delay");
const FIELDS = [number, name, delay];

/** Checks of the fields. Each returns `null`, or a message and, if it helps, the position of the error. */
const CHECKS = {
  "phone-number": (text) => {
    const check = PhoneNumber.check(text);
    if (check.ok) return null;
    return { text: check.message, excerpt: excerpt(text, check), soFar: check.incomplete && check.digits ? unfinished(check) : "" };
  },
  "friendly-name": (text) => {
    const check = FriendlyName.check(text);
    return check.ok ? null : { text: nameProblem(check) };
  },
  "call-delay": (text) => {
    const isDelay = /^\d+$/.test(text.trim()) && Number(text) <= CallDelay.limit;
    return isDelay || text.trim() === "" ? null : { text: `Enter 0 to ${CallDelay.limit} seconds.` };
  },
};

/**
 * Mounts the form. `ask(parameters)` sends the request and `connection()` returns the connection it uses. `onAsked()` is called
 * after success if the focus is still on the button, `onProblem(phoneNumber)` for an error about this number, and `onFailure(error)`
 * for an error of the request. `onExisting(number)` shows a number that is already a caller ID.
 */
export function mountValidate({ ask, connection, onAsked, onProblem, onFailure, onExisting }) {
  const button = byId("call-me");
  /** Fields that have shown an error. From then on, every input updates it. */
  const judged = new Set();
  let sayTimer;

  setText(byId("friendly-name-hint"), `Optional, up to ${FriendlyName.limit} characters`);
  setText(byId("call-delay-hint"), `Seconds, 0 to ${CallDelay.limit}`);

  const feedback = (input, tone, ...content) => {
    const place = byId(`${input.id}-feedback`);
    place.dataset.tone = tone;
    place.replaceChildren(...content);
    input.removeAttribute("aria-invalid");
  };

  /** The text of a problem, with the position of the error. */
  const content = ({ text, excerpt }) => {
    if (!excerpt) return [text];
    const [before, marked, after] = excerpt;
    return [text.replace(/\.$/, ": "), before, element("mark", {}, marked), after];
  };

  const showProblem = (input, problem, ...more) => {
    feedback(input, "bad", icon("cross"), ...content(problem), ...more);
    input.setAttribute("aria-invalid", "true");
  };

  const check = (input) => {
    // An empty field shows no error until the user leaves it or submits the form.
    const problem = input.value === "" && !judged.has(input.id) ? null : CHECKS[input.id](input.value);
    if (problem && (judged.has(input.id) || input !== number)) showProblem(input, problem);
    else if (problem) feedback(input, "", ...(problem.soFar ? [problem.soFar] : content(problem)));
    else if (input === number && input.value !== "") {
      const { phoneNumber } = PhoneNumber.check(input.value);
      feedback(input, "good", icon("check"), `${phoneNumber}, `, element("span", { className: "whole" }, `shown as ${phoneNumber.national}`));
    } else {
      const left = FriendlyName.limit - (input === name && input.value !== "" ? FriendlyName.check(input.value).length : 0);
      feedback(input, "", left < 16 ? `${left} characters left` : "");
    }
    return problem;
  };

  for (const input of FIELDS) {
    input.addEventListener("input", () => {
      check(input);
      clearTimeout(sayTimer);
      sayTimer = setTimeout(() => {
        const text = byId(`${input.id}-feedback`).textContent;
        if (text && document.activeElement === input) announce(text);
      }, SAY_MS);
    });
    input.addEventListener("change", () => {
      if (input.value.trim() === "") judged.delete(input.id);
      else if (CHECKS[input.id](input.value)) judged.add(input.id);
      check(input);
    });
  }

  /** Moves the focus to a field, so that its error is read. */
  const goTo = (input) => {
    if (document.activeElement === input) announce(byId(`${input.id}-feedback`).textContent);
    else input.focus();
  };

  /** Shows an error of the request, unless it is about the connection: that is shown at the top of the page. */
  const showFailure = (problem, parameters) => {
    if (problem.kind === "slow") feedback(number, "", "The phone may still ring, but its code is lost. Call again for a new one.");
    if (problem.kind !== "answer") return;
    const showIt = element("button", { type: "button", className: "link", onclick: () => onExisting(parameters.phoneNumber) }, "Show it in the list");
    const input = problem.field ? byId(problem.field) : number;
    showProblem(input, problem, ...(problem.code === 21450 ? [" ", showIt] : []));
    if (problem.field) {
      judged.add(input.id);
      goTo(input);
    } else {
      input.removeAttribute("aria-invalid");
      announce(problem.text);
    }
  };

  /** Sends a request and shows its state and errors. */
  const send = async (parameters) => {
    if (isBusy(button)) return;
    const asked = connection();
    if (!asked) {
      byId("sign-in-account").focus();
      announce("Sign in first.");
      return;
    }
    // What is typed from now on is not meant for a field.
    button.focus();
    setBusy(button, true);
    setText(byId("call-me-text"), "Calling…");
    const slow = setTimeout(() => {
      setText(byId("call-me-text"), "Still waiting…");
      announce("The server is slow. Still waiting for its answer.");
    }, SLOW_MS);
    try {
      await ask(parameters);
      if ([button, document.body].includes(document.activeElement)) onAsked();
    } catch (error) {
      if (asked.closed.aborted) return;
      showFailure(explain(error, asked), parameters);
      onProblem(parameters.phoneNumber);
      onFailure(error);
    } finally {
      clearTimeout(slow);
      setBusy(button, false);
      setText(byId("call-me-text"), "Call me");
    }
  };

  byId("validate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(sayTimer);
    for (const input of FIELDS) judged.add(input.id);
    const [first] = FIELDS.filter(check);
    if (first) {
      onProblem(number.value);
      goTo(first);
      return;
    }
    send({
      phoneNumber: number.value,
      friendlyName: name.value === "" ? undefined : name.value,
      callDelay: Number(delay.value) || undefined,
    });
  });

  /** The fields' values for a request. */
  const values = ({ phoneNumber, friendlyName = "", callDelay = 0 }) => [phoneNumber, friendlyName, String(callDelay)];

  return {
    /** Puts a number into the form, for the user to go on from there. */
    enter: (phoneNumber) => {
      number.value = phoneNumber;
      check(number);
      number.focus();
    },
    /** Repeats a request, without the delay. */
    again: (parameters) => send({ ...parameters, callDelay: undefined }),
    /** Fills the form after a reload, unless something is typed in it. */
    fill: (parameters) => {
      if (number.value !== "" || name.value !== "") return;
      values(parameters).forEach((value, index) => (FIELDS[index].value = value));
      check(number);
    },
    /** Makes the form ready for the next number. Keeps what was typed since this request. */
    clear: (parameters) => {
      values(parameters).forEach((value, index) => {
        const input = FIELDS[index];
        if (input.value === value) input.value = input.defaultValue;
        judged.delete(input.id);
        check(input);
      });
    },
    /** Clears all errors, for example for another connection. */
    reset: () => {
      judged.clear();
      FIELDS.forEach(check);
    },
  };
}
