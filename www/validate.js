// The form that asks for a validation. What is typed is checked by the core and left as it was typed.

import { announce } from "./announce.js";
import { CallDelay, FriendlyName, PhoneNumber } from "./callerid.js";
import { byId, element, icon, isBusy, setBusy, setText, show } from "./dom.js";
import { excerpt, explain, forPeople } from "./messages.js";

/** How long a person waits before being told that the server is slow. */
const SLOW_MS = 4000;
/** How long typing rests before what was found is said. */
const SAY_MS = 900;

const number = byId("phone-number");
const name = byId("friendly-name");
const delay = byId("call-delay");

/** What is wrong with a field: `null`, or a message and, if it helps, the place. */
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
 * Mounts the form. `ask(parameters)` sends the request and is told of by its promise; `explainError` gives an error's words.
 * Returns ways to fill the form, and to ask again with what was asked before.
 */
export function mountValidate({ ask, connection, onFailure, onExisting }) {
  const button = byId("call-me");
  const summary = byId("error-summary");
  /** Fields whose error has been shown: from then on they are judged with every key. */
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
    // Of what is yet to be filled in there is nothing to say, and nothing to ask the core.
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

  /** Sends a request and shows how that goes. */
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
    /** Asks once more for what was asked for, at once. */
    again: (parameters) => send({ ...parameters, callDelay: undefined }),
    /** Fills the form, as after a reload. */
    fill: ({ phoneNumber, friendlyName = "", callDelay = 0 }) => {
      number.value = phoneNumber;
      name.value = friendlyName;
      delay.value = String(callDelay);
      found(number);
    },
    /** Forgets what went wrong, as for another connection. */
    reset: () => {
      judged.clear();
      summarize([]);
      for (const input of [number, name, delay]) found(input);
    },
  };
}
