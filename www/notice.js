// The notice at the top of the page: the connection is lost or the credentials are not accepted, and what to do.

import { byId, element, setText, show } from "./dom.js";

let waiting;

/** Shows a notice. `actions` are pairs of a label and a function; a countdown runs to `until` (`performance.now()`). */
export function notify({ title, detail, tone = "bad", actions = [], until }) {
  const notice = byId("notice");
  notice.dataset.tone = tone;
  setText(byId("notice-title"), title);
  setText(byId("notice-detail"), detail);
  const place = byId("notice-actions");
  const names = actions.map(([name]) => name).join();
  // Replaces the buttons only if they differ, so that one keeps its focus.
  if (place.dataset.names !== names) {
    place.dataset.names = names;
    place.replaceChildren(...actions.map(([name]) => element("button", { type: "button", className: "button small" }, name)));
  }
  actions.forEach(([, run], index) => (place.children[index].onclick = run));
  clearInterval(waiting);
  const count = () => {
    const seconds = Math.ceil((until - performance.now()) / 1000);
    setText(byId("notice-wait"), !until ? "" : seconds > 0 ? `Next try in ${seconds} s.` : "Trying…");
  };
  count();
  if (until) waiting = setInterval(count, 250);
  show(notice, true);
}

/** Hides the notice. If it had the focus, calls `focus()` to move it. */
export function dismiss(focus) {
  const notice = byId("notice");
  if (notice.hidden) return;
  clearInterval(waiting);
  const hadFocus = notice.contains(document.activeElement);
  show(notice, false);
  setText(byId("notice-title"), "");
  setText(byId("notice-detail"), "");
  if (hadFocus) focus();
}
