// What is in the drawer: one part at a time, kept up to date while the drawer is open.

import { element, isBusy, setBusy } from "../dom.js";
import { explain } from "../messages.js";
import { mountClock } from "./clock.js";
import { mountFaults } from "./faults.js";
import { mountPhones } from "./phones.js";
import { mountRequests } from "./requests.js";
import { mountSeed } from "./seed.js";
import { mountSnapshots } from "./snapshots.js";
import { send } from "./test-control.js";

const PARTS = { Clock: mountClock, Faults: mountFaults, Phones: mountPhones, Requests: mountRequests, Seed: mountSeed, Snapshots: mountSnapshots };
/** Tests change things too, so what is shown is fetched again and again. */
const REFRESH_MS = 1500;

/** Fills the drawer, for a connection. */
export function mountContents({ drawer, place, connection, failed, enter, seeded }) {
  let shown;
  /** Counts what was asked for, so that an older answer does not replace a newer one. */
  let asked = 0;

  /** Fetches what is shown. Errors are not: those of the connection are shown by whoever follows it. */
  const refresh = async () => {
    const { read, update } = shown;
    const mine = ++asked;
    const answer = await read().catch(() => null);
    if (answer && mine === asked) update(answer);
  };

  /**
   * Does what a button is for. Calls `report(text, tone)`: with the text that `work` resolves to, or with that of an error, unless it is
   * about the connection: that is shown at the top of the page.
   */
  const run = async (button, work, report) => {
    if (isBusy(button)) return;
    setBusy(button, true);
    asked++;
    report("");
    try {
      report(await work(), "good");
      await refresh();
    } catch (error) {
      if (connection.closed.aborted) return;
      const { kind, text } = explain(error, connection);
      if (kind === "answer") report(text, "bad");
      failed(error);
    } finally {
      setBusy(button, false);
    }
  };

  const tools = { ask: (...request) => send(connection, ...request), run, enter, seeded };
  const parts = Object.entries(PARTS).map(([name, mount], index) => {
    const part = mount(tools);
    const choice = element("input", { type: "radio", name: "testing-part", checked: index === 0 });
    const root = element("section", { className: "testing-part", attributes: { "aria-label": name } }, ...part.content);
    choice.addEventListener("change", () => choose(choice));
    return { ...part, choice, root, label: element("label", { className: "segment" }, choice, element("span", {}, name)) };
  });

  const choose = (choice) => {
    for (const part of parts) {
      part.root.hidden = part.choice !== choice;
      if (part.choice === choice) shown = part;
    }
    refresh();
  };

  place.replaceChildren(
    element("fieldset", { className: "segments" },
      element("legend", { className: "visually-hidden" }, "What to control"), ...parts.map(({ label }) => label)),
    ...parts.map(({ root }) => root));
  choose(parts[0].choice);

  const isLookedAt = () => drawer.open && document.visibilityState === "visible";
  const timer = setInterval(() => isLookedAt() && refresh(), REFRESH_MS);
  drawer.addEventListener("toggle", () => drawer.open && refresh(), { signal: connection.closed });
  connection.closed.addEventListener("abort", () => clearInterval(timer), { once: true });
}
