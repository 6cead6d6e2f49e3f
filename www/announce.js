// Screen reader announcements, through one polite live region.

import { byId } from "./dom.js";

const GATHER_MS = 80;
let waiting = [];
let timer;

/** Announces a text. Joins texts that arrive at almost the same time, and repeats identical ones. */
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
