// Faults: requests that go wrong on purpose.

import { PhoneNumber } from "../callerid.js";
import { makeField, makeForm, makeInput, makeSelect, optional, whole } from "./form.js";
import { makeList } from "./list.js";

/** What a fault can do: its text in the form, and its part of the document. */
const KINDS = {
  error: ["Answer with an error", ({ status }) => ({ status })],
  delay: ["Answer late", ({ delay }) => ({ delay_ms: delay })],
  hold: ["Hold the response", () => ({ hold: true })],
  before: ["Lose the request", () => ({ drop: "before" })],
  after: ["Lose the response, after the work", () => ({ drop: "after" })],
  mid_body: ["Send half the response", () => ({ drop: "mid_body" })],
};

/** The texts in the list, by the names in the document. */
const OUTCOMES = {
  status: (status) => `Error ${status}`,
  delay_ms: (delay) => `${delay} ms late`,
  hold: () => "Response held",
  drop: (when) => ({ before: "Request lost", after: "Response lost after the work", mid_body: "Half a response" })[when],
};

const METHODS = ["GET", "POST", "PUT", "DELETE"];

/** Reads a phone number, or a path, in which `*` is for any characters. */
function readTarget(text) {
  if (/[/*]/.test(text)) return { path: text };
  const check = PhoneNumber.check(text);
  if (!check.ok) throw new RangeError(check.message);
  return { phone_number: check.phoneNumber.toString() };
}

export function mountFaults({ ask, run }) {
  const kind = makeField({ label: "What happens", hint: "To a request of the API", control: makeSelect(Object.entries(KINDS).map(([name, [text]]) => [name, text])), size: "large" });
  const status = makeField({ label: "Status", hint: "Of the error", control: makeInput({ inputMode: "numeric", value: "503" }), read: whole, place: "then.status", size: "small" });
  const delay = makeField({ label: "Delay", hint: "Milliseconds", control: makeInput({ inputMode: "numeric", value: "800" }), read: whole, place: "then.delay_ms", size: "small" });
  const method = makeField({ label: "Method", hint: "Of the request", control: makeSelect([["", "Any"], ...METHODS.map((it) => [it, it])]), read: optional(String), size: "small" });
  const target = makeField({ label: "Phone number or path", hint: "Empty: any. In a path, * is any text", control: makeInput(), read: optional(readTarget), place: "match", size: "large" });
  const times = makeField({ label: "Times", hint: "Empty: no end", control: makeInput({ inputMode: "numeric", value: "1" }), read: optional(whole), place: "times", size: "small" });

  const choose = () => {
    status.show(kind.control.value === "error");
    delay.show(kind.control.value === "delay");
  };
  kind.control.addEventListener("change", choose);
  choose();

  const form = makeForm({
    label: "Add a fault", fields: [kind, status, delay, method, target, times], button: "Add", run,
    work: async (name, status, delay, method, target, times) => {
      const [, documentOf] = KINDS[name];
      const fault = await ask("POST", "faults", { match: { method, ...target }, times, then: documentOf({ status, delay }) });
      return `Added: ${title(fault)}.`;
    },
  });
  const list = makeList({
    label: "Faults", empty: "No faults. The page’s own requests meet them, too.", run,
    all: ["Remove all faults", () => ask("DELETE", "faults").then(() => "All faults are removed.")],
  });

  const row = (fault) => {
    const { id, then } = fault;
    const remove = ["Remove", () => ask("DELETE", `faults/${id}`).then(() => "The fault is removed.")];
    const release = ["Release", () => ask("POST", `faults/${id}/release`).then(() => "The responses are released.")];
    return { key: id, title: title(fault), notes: hits(fault), actions: then.hold ? [release, remove] : [remove] };
  };
  return {
    content: [form, list.root],
    read: () => ask("GET", "faults"),
    update: ({ faults }) => list.update(faults.map(row)),
  };
}

function title({ then, match: { method, path, phone_number: number } }) {
  const matched = [method, path, number && PhoneNumber.parsePossible(number).national].filter(Boolean);
  const outcomes = Object.entries(OUTCOMES).filter(([name]) => name in then).map(([name, text]) => text(then[name]));
  return [...outcomes, matched.length === 0 ? "any request" : matched.join(" ")].join(", ");
}

/** Says how often a fault has hit, and why the last request missed it. */
function hits({ hits, times_left: left, nearly_matched: missed }) {
  const said = [`${hits} ${hits === 1 ? "hit" : "hits"}`];
  if (left !== null) said.push(left === 0 ? "none left" : `${left} left`);
  const miss = hits === 0 && missed.at(-1);
  return `${said.join(", ")}${miss ? `. Nearly hit a request, but ${miss.because}` : ""}`;
}
