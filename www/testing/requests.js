// The last requests to the API, from any client, as the service logged them.

import { element } from "../dom.js";
import { makeList } from "./list.js";
import { shortPath } from "../wire.js";

const SHOWN = 50;

export function mountRequests({ ask, run }) {
  const list = makeList({
    label: "Requests, newest first", empty: "No requests.", run,
    all: ["Clear", () => ask("DELETE", "requests").then(() => "The requests are cleared.")],
  });
  /** The newest request that is known. */
  let lastId = 0;

  return {
    content: [element("p", { className: "hint" }, `The last ${SHOWN} requests to the API, from any client.`), list.root],
    // The last ones are asked for again, because they may not have been answered.
    read: () => ask("GET", `requests?since=${Math.max(0, lastId - SHOWN)}`),
    update: ({ requests }) => {
      // After a reset, the first id is 1 again.
      lastId = requests.at(-1)?.id ?? 0;
      list.update(requests.slice(-SHOWN).reverse().map(row));
    },
  };
}

function row({ id, at, method, path, query, form, status, code }) {
  const url = new URL(path + (query && `?${query}`), location);
  const outcome = status === null ? "no response yet" : code === null ? String(status) : `${status}, code ${code}`;
  const sent = decodeURIComponent(form.replaceAll("+", " "));
  return { key: `${id} ${at}`, title: `${method} ${shortPath(url)}`, notes: [outcome, at.slice(11, 23), sent].filter(Boolean).join(" · ") };
}
