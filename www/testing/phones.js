// Phones that answer by themselves.

import { PhoneNumber } from "../callerid.js";
import { element } from "../dom.js";
import { makeField, makeForm, makeInput, makeSelect } from "./form.js";
import { makeList } from "./list.js";
import { describe, SCRIPTS } from "./scripts.js";

/** Reads a phone number, or `*` for all others. */
function readNumber(text) {
  if (text === "*") return text;
  const check = PhoneNumber.check(text);
  if (!check.ok) throw new RangeError(check.message);
  return check.phoneNumber.toString();
}

const show = (number) => (number === "*" ? "Every other phone" : PhoneNumber.parsePossible(number).national);

export function mountPhones({ ask, run, enter }) {
  const number = makeField({ label: "Phone number", hint: "Or * for every other phone", control: makeInput({ inputMode: "tel" }), read: readNumber });
  const script = makeField({ label: "What it does", hint: "When it rings", control: makeSelect(Object.entries(SCRIPTS).map(([name, { text }]) => [name, text])), size: "large" });
  const form = makeForm({
    label: "Give a phone a script", fields: [number, script], button: "Set", run,
    work: async (number, name) => {
      await ask("PUT", `phones/${encodeURIComponent(number)}`, { script: name });
      return `${show(number)}: ${describe(name)}.`;
    },
  });
  const list = makeList({
    label: "Phones with a script", empty: "No phone has a script.", run,
    all: ["Remove all scripts", () => ask("DELETE", "phones").then(() => "All scripts are removed.")],
  });
  const row = ([number, script]) => ({
    key: number,
    title: show(number),
    notes: describe(script),
    actions: [["Remove", () => ask("DELETE", `phones/${encodeURIComponent(number)}`).then(() => "The script is removed.")]],
  });
  return {
    content: [form, list.root, hints(enter)],
    read: () => ask("GET", "phones"),
    update: ({ phones }) => list.update(Object.entries(phones).map(row)),
  };
}

/** The numbers that need no script. A click puts one into the form of the page. */
function hints(enter) {
  const rows = Object.values(SCRIPTS).filter((script) => script.number).map(({ text, number }) => {
    const { national } = PhoneNumber.parse(number);
    const button = element("button", { type: "button", className: "link" }, national);
    button.addEventListener("click", () => enter(national));
    return element("tr", {}, element("td", {}, button), element("td", {}, text));
  });
  return element("details", { className: "testing-hints" },
    element("summary", {}, "Numbers that do this by themselves, in any area code"),
    element("table", {},
      element("thead", {}, element("tr", {}, ...["Number", "What the phone does"].map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...rows)));
}
