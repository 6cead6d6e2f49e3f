// The notice at the top of the page: the connection is lost or the credentials are not accepted, and what to do.

import { byId, element, setText, show } from "./dom.js";

/** Shows a notice. `actions` are pairs of a label and a function. */
export function notify({ title, detail, actions = [] }) {
  const notice = byId("notice");
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
  show(notice, true);
}

/** Hides the notice. If it had the focus, calls `focus()` to move it. */
export function dismiss(focus) {
  const notice = byId("notice");
  if (notice.hidden) return;
  const hadFocus = notice.contains(document.activeElement);
  show(notice, false);
  setText(byId("notice-title"), "");
  setText(byId("notice-detail"), "");
  if (hadFocus) focus();
}
