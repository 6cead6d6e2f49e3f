// The lists of the drawer. A row stays while its texts change, and so does the focus in it.

import { announce } from "../announce.js";
import { element, setText, setUnbroken, show } from "../dom.js";
import { makeFeedback } from "./form.js";

/**
 * Makes a list. `update(rows)` shows rows: `key`, `title`, `notes`, and `actions`, which are pairs of a label and work as for
 * `makeForm`. `empty` is shown if there are none, and a button for `all` of them, such a pair, if there are some.
 */
export function makeList({ label, empty, all, run }) {
  const list = element("ul", { className: "testing-list", tabIndex: 0, attributes: { "aria-label": label } });
  const blank = element("p", { className: "testing-blank" }, empty);
  const feedback = makeFeedback();
  const allButton = element("button", { type: "button", className: "button small", hidden: true }, all?.[0] ?? "");
  let shown = new Map();

  const report = (text, tone) => {
    feedback.report(text, tone);
    if (text) announce(text);
  };

  allButton.addEventListener("click", () => run(allButton, all[1], report));

  const makeRow = ({ actions = [] }) => {
    const title = element("p", { className: "testing-title" });
    const notes = element("p", { className: "testing-notes" });
    const spoken = [];
    const buttons = actions.map(([text], index) => {
      spoken.push(element("span", { className: "visually-hidden" }));
      const button = element("button", { type: "button", className: "button small" }, text, spoken[index]);
      button.addEventListener("click", () => run(button, () => row.actions[index][1](), report));
      return button;
    });
    const root = element("li", { className: "testing-row" }, element("div", { className: "testing-texts" }, title, notes), ...buttons);
    const row = { root, title, notes, spoken, actions };
    return row;
  };

  const update = (rows) => {
    const focused = document.activeElement;
    const at = [...list.children, allButton].findIndex((item) => item.contains(focused));
    const next = new Map();
    for (const data of rows) {
      const row = shown.get(data.key) ?? makeRow(data);
      next.set(data.key, row);
      setUnbroken(row.title, data.title);
      setUnbroken(row.notes, data.notes);
      for (const spoken of row.spoken) setText(spoken, ` ${data.title}`);
    }
    for (const [key, row] of shown) if (!next.has(key)) row.root.remove();
    [...next.values()].forEach(({ root }, index) => {
      if (list.children[index] !== root) list.insertBefore(root, list.children[index] ?? null);
    });
    shown = next;
    show(blank, rows.length === 0);
    show(list, rows.length > 0);
    show(allButton, all !== undefined && rows.length > 0);
    // What had the focus is gone: the next row gets it.
    if (at >= 0 && !focused.checkVisibility()) (list.children[Math.min(at, rows.length - 1)]?.querySelector("button") ?? blank).focus();
  };

  blank.tabIndex = -1;
  return { root: element("div", {}, list, blank, element("div", { className: "testing-buttons" }, allButton, feedback.place)), update };
}
