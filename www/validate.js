// The form that requests a validation. The core checks the input, and the form does not change it.

import { announce } from "./announce.js";
import { CallDelay, FriendlyName, PhoneNumber } from "./callerid.js";
import { byId, element, icon, isBusy, setBusy, setText, show } from "./dom.js";
import { excerpt, explain, forPeople } from "./messages.js";

/** After this time, the form says that the server is slow. */
const SLOW_MS = 4000;
/** The pause in typing before feedback is announced. */
const SAY_MS = 900;

const number = byId("phone-number");
const name = byId("friendly-name");
const delay = byId("call-delay");

/** Checks of the fields. Each returns `null`, or a message and, if it helps, the position of the error. */
const CHECKS = {
  "phone-number": (text) => {
    const check = PhoneNumber.check(text);
    if (check.ok) return null;
    if (check.reason === "empty") return { text: "Enter a phone number" };
    return { text: forPeople(check.message), excerpt: excerpt(text, check), isUnfinished: check.reason === "too-short" };
  },
  "friendly-name": (text) => {
    const check = FriendlyName.check(text);
    if (check.ok) return null;
    return { text: check.reason === "too-long" ? `${check.length} characters: a name has at most ${FriendlyName.limit}` : forPeople(check.message) };
  },
  "call-delay": (text) => {
    const isDelay = /^\d+$/.test(text.trim()) && Number(text) <= CallDelay.limit;
    return isDelay || text.trim() === "" ? null : { text: `Enter 0 to ${CallDelay.limit} seconds` };
  },
};

/**
 * Mounts the form. `ask(parameters)` sends the request and `connection()` returns the connection it uses. `onFailure(problem,
 * error)` is called for an error of the request, and `onExisting(number)` shows a number that is already a caller ID.
 */
export function mountValidate({ ask, connection, onFailure, onExisting }) {
  const button = byId("call-me");
  const summary = byId("error-summary");
  /** Fields that have shown an error. From then on, every input updates it. */
  const judged = new Set();
  let sayTimer;

  setText(byId("friendly-name-hint"), `Optional, up to ${FriendlyName.limit} characters`);
  setText(byId("call-delay-hint"), `Seconds, 0 to ${CallDelay.limit}`);

  const feedback = (input, tone, ...content) => {
    const place = byId(`${input.id}-feedback`);
    const isBad = tone === "bad";
    place.dataset.tone = tone;
    place.replaceChildren(...content);
    if (isBad) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };

  const showProblem = (input, problem) => {
    const content = [icon("cross"), problem.text];
    if (problem.excerpt) {
      const [before, marked, after] = problem.excerpt;
      content.push(": ", before, element("mark", {}, marked), after);
    }
    feedback(input, "bad", ...content);
  };

  const found = (input) => {
    // An empty field shows no error until the user leaves it or submits the form.
    if (input.value === "" && !judged.has(input.id)) {
      feedback(input, "");
      return null;
    }
    const problem = CHECKS[input.id](input.value);
    if (problem) {
      if (judged.has(input.id)) showProblem(input, problem);
      else if (input === number && input.value.trim() !== "") feedback(input, "", problem.isUnfinished ? problem.text : "", ...(problem.isUnfinished ? [] : marked(problem)));
      else if (input === name) showProblem(input, problem);
      else feedback(input, "");
      return problem;
    }
    if (input === number) {
      const { phoneNumber } = PhoneNumber.check(input.value);
      feedback(input, "good", icon("check"), `${phoneNumber}, `, element("span", { className: "whole" }, `shown as ${phoneNumber.national}`));
    } else if (input === name && input.value !== "") {
      const { length } = FriendlyName.check(input.value);
      feedback(input, "", length > FriendlyName.limit - 16 ? `${FriendlyName.limit - length} characters left` : "");
    } else {
      feedback(input, "");
    }
    return null;
  };

  const marked = (problem) => {
    if (!problem.excerpt) return [problem.text];
    const [before, part, after] = problem.excerpt;
    return [`${problem.text}: `, before, element("mark", {}, part), after];
  };

  for (const input of [number, name, delay]) {
    input.addEventListener("input", () => {
      found(input);
      clearTimeout(sayTimer);
      sayTimer = setTimeout(() => {
        const text = byId(`${input.id}-feedback`).textContent;
        if (text && document.activeElement === input) announce(text);
      }, SAY_MS);
    });
    input.addEventListener("change", () => {
      if (input.value.trim() === "") judged.delete(input.id);
      else if (CHECKS[input.id](input.value)) judged.add(input.id);
      found(input);
    });
  }

  const summarize = (problems) => {
    show(summary, problems.length > 0);
    byId("error-summary-list").replaceChildren(
      ...problems.map(({ field, text, action }) => {
        const item = element("li", {});
        if (field) {
          const link = element("a", { href: `#${field}` }, text);
          link.addEventListener("click", (event) => {
            event.preventDefault();
            byId(field).focus();
          });
          item.append(link);
        } else {
          item.append(element("span", {}, text));
        }
        if (action) {
          const link = element("a", { href: `#${action.target}` }, action.text);
          link.addEventListener("click", (event) => {
            event.preventDefault();
            action.run();
          });
          item.append(" ", link);
        }
        return item;
      }),
    );
    if (problems.length > 0) summary.focus();
  };

  /** Sends a request and shows its state and errors. */
  const send = async (parameters) => {
    if (isBusy(button)) return;
    const asked = connection();
    if (!asked) {
      summarize([{ field: "sign-in-account", text: "Sign in first: a call needs an account" }]);
      return;
    }
    setBusy(button, true);
    setText(byId("call-me-text"), "Calling…");
    const slow = setTimeout(() => {
      setText(byId("call-me-text"), "Still waiting…");
      announce("The server is slow. Still waiting for its answer.");
    }, SLOW_MS);
    try {
      await ask(parameters);
      summarize([]);
    } catch (error) {
      if (asked.closed.aborted) return;
      const problem = explain(error, asked);
      const text = problem.kind === "slow"
        ? `${problem.text} The phone may still ring, but its code is lost. Call again for a new one.`
        : problem.kind === "answer" ? problem.text : `${problem.text} What you typed is still here.`;
      const field = problem.field;
      if (field) {
        judged.add(field);
        showProblem(byId(field), { text });
      }
      const isExisting = problem.code === 21450;
      const action = isExisting && { text: "Show it in the list", target: "caller-ids", run: () => onExisting(parameters.phoneNumber) };
      summarize([{ field, text, action }]);
      onFailure(problem, error);
    } finally {
      clearTimeout(slow);
      setBusy(button, false);
      setText(byId("call-me-text"), "Call me");
    }
  };

  byId("validate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(sayTimer);
    const problems = [];
    for (const input of [number, name, delay]) {
      judged.add(input.id);
      const problem = found(input);
      if (problem) problems.push({ field: input.id, text: problem.text });
    }
    if (problems.length > 0) {
      summarize(problems);
      return;
    }
    send({
      phoneNumber: number.value,
      friendlyName: name.value === "" ? undefined : name.value,
      callDelay: Number(delay.value) || undefined,
    });
  });

  return {
    /** Repeats a request, without the delay. */
    again: (parameters) => send({ ...parameters, callDelay: undefined }),
    /** Fills the form, for example after a reload. */
    fill: ({ phoneNumber, friendlyName = "", callDelay = 0 }) => {
      number.value = phoneNumber;
      name.value = friendlyName;
      delay.value = String(callDelay);
      found(number);
    },
    /** Clears all errors, for example for another connection. */
    reset: () => {
      judged.clear();
      summarize([]);
      for (const input of [number, name, delay]) found(input);
    },
  };
}
