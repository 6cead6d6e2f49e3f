// The account's contents: adding a seed, and the reset.

import { element } from "../dom.js";
import { makeButtons, makeField, makeForm } from "./form.js";

const EXAMPLE = `{
  "caller_ids": [{ "phone_number": "4158675309", "friendly_name": "Front desk" }],
  "codes": { "*": "123456" },
  "phones": { "4158675310": "busy" }
}`;

/** Says how many caller IDs there are. */
export const callerIds = (count) => `${count} caller ${count === 1 ? "ID" : "IDs"}`;

export function mountSeed({ ask, run, seeded }) {
  const text = element("textarea", { className: "mono", rows: 6, value: EXAMPLE, spellcheck: false });
  const seed = makeField({
    label: "Seed", hint: "JSON with caller IDs, codes, and what phones do; * is for every other number", control: text, read: () => text.value, place: "",
  });
  const form = makeForm({
    label: "Add a seed", fields: [seed], button: "Add the seed", run,
    work: async (seed) => {
      const { caller_ids: count } = await ask("POST", "seed", seed);
      seeded();
      return `Added ${callerIds(count)}.`;
    },
    onProblem: (problem) => selectLine(text, problem),
  });
  const reset = makeButtons({
    run,
    buttons: [["Reset", async () => `The account is reset, with ${callerIds((await ask("POST", "reset")).caller_ids)}.`, "danger"]],
  });
  return {
    content: [
      form,
      element("details", { className: "testing-more" },
        element("summary", {}, "Reset the account…"),
        element("p", {}, "This removes everything but the clock and the snapshots, and adds the seed of the server’s start again."),
        reset.root),
    ],
    read: async () => null,
  };
}

/** Selects the line that an error names. */
function selectLine(text, problem) {
  const [, line] = /at line (\d+) column/.exec(problem) ?? [];
  if (!line) return;
  const before = text.value.split("\n").slice(0, line);
  const end = before.join("\n").length;
  text.setSelectionRange(end - before.at(-1).length, end);
}
