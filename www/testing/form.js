// The forms of the drawer.

import { announce } from "../announce.js";
import { element, icon, show } from "../dom.js";

const OUTCOME_MS = 5000;
let count = 0;

/** Makes a place for the outcome of an action: for an error, until the next action; for a success, for a few seconds. */
export function makeFeedback() {
  const place = element("p", { className: "feedback", id: `testing-feedback-${++count}` });
  let timer;
  const report = (text, tone = "bad") => {
    clearTimeout(timer);
    place.dataset.tone = tone;
    place.replaceChildren(...(text ? [icon(tone === "bad" ? "cross" : "check"), text] : []));
    if (tone === "good") timer = setTimeout(report, OUTCOME_MS, "");
  };
  return { place, report };
}

/**
 * Makes a field. `read(text)` converts its text, and throws an error whose message says what is wrong. `place` is the place in the
 * request's document that errors of the service name; `size` is `small`, `large`, or what fits most.
 */
export function makeField({ label, hint, control, read = (text) => text, place, size = "" }) {
  const feedback = makeFeedback();
  control.id = `testing-field-${count}`;
  const note = element("p", { className: "hint", id: `${control.id}-hint` }, hint);
  control.setAttribute("aria-describedby", `${note.id} ${feedback.place.id}`);
  const root = element("div", { className: `field ${size}` }, element("label", { htmlFor: control.id }, label), note, control, feedback.place);
  const problem = (text) => {
    feedback.report(text);
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  };
  control.addEventListener("input", () => problem(""));
  return {
    root,
    control,
    problem,
    read: () => read(control.value.trim()),
    show: (isShown) => show(root, isShown),
    hasPlace: (text) => place !== undefined && text.startsWith(`Invalid document: ${place}`),
  };
}

/**
 * Makes a form. `work(...values)` sends the request and resolves to what to announce; `run` comes from the drawer. An error is shown at
 * the field that it names, or else below the form.
 */
export function makeForm({ label, fields, button, run, work, onProblem = () => {} }) {
  const feedback = makeFeedback();
  const submit = element("button", { type: "submit", className: "button" }, button);
  const root = element("form", { className: "testing-form", noValidate: true, attributes: { "aria-label": label } }, ...fields.map((field) => field.root), submit, feedback.place);

  const report = (text, tone) => {
    for (const field of fields) field.problem("");
    const field = tone === "bad" && fields.find((it) => it.hasPlace(text));
    feedback.report(field ? "" : text, tone);
    if (field) wrong(field, text);
    else if (text) announce(text);
    if (tone === "bad") onProblem(text);
  };

  /** Shows a field's error, and moves the focus there, so that it is read. */
  const wrong = (field, text) => {
    field.problem(text);
    if (document.activeElement === field.control) announce(text);
    else field.control.focus();
  };

  root.addEventListener("submit", (event) => {
    event.preventDefault();
    report("");
    const values = [];
    for (const field of fields) {
      try {
        values.push(field.root.hidden ? undefined : field.read());
      } catch (error) {
        wrong(field, error.message);
        return;
      }
    }
    run(submit, () => work(...values), report);
  });
  return root;
}

/** Makes buttons that do something at once: a label, work as for `makeForm`, and perhaps another class. */
export function makeButtons({ buttons, run }) {
  const feedback = makeFeedback();
  const report = (text, tone) => {
    feedback.report(text, tone);
    if (text) announce(text);
  };
  const made = buttons.map(([label, work, className = ""]) => {
    const button = element("button", { type: "button", className: `button ${className}` }, label);
    button.addEventListener("click", () => run(button, work, report));
    return button;
  });
  return { root: element("div", { className: "testing-buttons" }, ...made, feedback.place), buttons: made };
}

export const makeInput = (properties) => element("input", { type: "text", autocomplete: "off", spellcheck: false, ...properties });

/** Makes a list of choices: pairs of a value and a text. */
export const makeSelect = (choices) => element("select", {}, ...choices.map(([value, text]) => element("option", { value }, text)));

/** Reads a whole number. */
export function whole(text) {
  if (!/^\d+$/.test(text)) throw new RangeError("Enter a whole number.");
  return Number(text);
}

/** Adapts `read` to a field that may be empty. */
export const optional = (read) => (text) => (text === "" ? undefined : read(text));

