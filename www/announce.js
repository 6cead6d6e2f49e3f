// What is said to those who listen: one live region, polite, a sentence or two at a time.

import { byId } from "./dom.js";

const GATHER_MS = 80;
let waiting = [];
let timer;

/** Says a text. What is said within a moment is said together; the same again is said again. */
export function announce(text) {
  waiting.push(text);
  clearTimeout(timer);
  timer = setTimeout(() => {
    const said = waiting.join(" ");
    waiting = [];
    const region = byId("announcer");
    region.textContent = region.textContent === said ? `${said}\u00a0` : said;
  }, GATHER_MS);
}
