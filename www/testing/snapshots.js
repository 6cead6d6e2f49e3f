// Snapshots of the account's contents, which the service keeps under a name.

import { makeField, makeForm, makeInput } from "./form.js";
import { makeList } from "./list.js";
import { callerIds } from "./seed.js";

function readName(text) {
  if (text === "") throw new RangeError("Enter a name.");
  return text;
}

const path = (name) => `snapshots/${encodeURIComponent(name)}`;

export function mountSnapshots({ ask, run }) {
  const name = makeField({ label: "Name", hint: "Of a new snapshot, or of one to replace", size: "large", control: makeInput(), read: readName });
  const form = makeForm({
    label: "Keep a snapshot", fields: [name], button: "Keep", run,
    work: async (name) => {
      await ask("PUT", path(name));
      return `${name} is kept.`;
    },
  });
  const list = makeList({ label: "Snapshots", empty: "No snapshots. One has the account’s caller IDs, calls and callbacks.", run });
  const row = ({ name, caller_ids: count, calls }) => ({
    key: name,
    title: name,
    notes: `${callerIds(count)}, ${calls} ${calls === 1 ? "call" : "calls"}`,
    actions: [
      ["Restore", () => ask("POST", `${path(name)}/restore`).then(() => `${name} is restored.`)],
      ["Remove", () => ask("DELETE", path(name)).then(() => `${name} is removed.`)],
    ],
  });
  return {
    content: [form, list.root],
    read: () => ask("GET", "snapshots"),
    update: ({ snapshots }) => list.update(snapshots.map(row)),
  };
}
