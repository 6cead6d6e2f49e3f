// What stands above everything else: that the connection is lost, or not accepted, and the ways on.

import { byId, element, setText, show } from "./dom.js";

let waiting;

/** Shows a notice. `actions` are pairs of words and what they do; `until` (`performance.now()`) counts down. */
export function notify({ title, detail, tone = "bad", actions = [], until }) {
  const notice = byId("notice");
  notice.dataset.tone = tone;
  setText(byId("notice-title"), title);
  setText(byId("notice-detail"), detail);
  const place = byId("notice-actions");
  const names = actions.map(([name]) => name).join();
  // Drawn again only where they differ, so that a button in use stays.
  if (place.dataset.names !== names) {
    place.dataset.names = names;
    place.replaceChildren(...actions.map(([name]) => element("button", { type: "button", className: "button small" }, name)));
  }
  actions.forEach(([, run], index) => (place.children[index].onclick = run));
  clearInterval(waiting);
  const count = () => {
    const seconds = Math.ceil((until - performance.now()) / 1000);
    setText(byId("notice-wait"), !until ? "" : seconds > 0 ? `Trying again in ${seconds} s.` : "Trying…");
  };
  count();
  if (until) waiting = setInterval(count, 250);
  show(notice, true);
}

/** Takes the notice away; if the focus was in it, `focus()` moves it on. */
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
