// Finds a Chromium: `$CHROME`, then the system's, then Playwright's; and a Firefox: `$FIREFOX`, then the system's. If run as a program, prints the path, or fails if there
// is none.

import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge"];
const PLACES = [
  ...(process.env.PATH ?? "").split(delimiter),
  "/Applications/Google Chrome.app/Contents/MacOS",
  "/Applications/Chromium.app/Contents/MacOS",
  "/Applications/Firefox.app/Contents/MacOS",
];

/** The path of a Chromium; `undefined` lets Playwright choose. */
export const findChromium = () => process.env.CHROME ?? find([...NAMES, "Google Chrome", "Chromium"]);

/** The path of a Firefox, if there is one. */
export const findFirefox = () => process.env.FIREFOX ?? find(["firefox-esr", "firefox"]);

const find = (names) => PLACES.flatMap((place) => names.map((name) => join(place, name))).find(isExecutable);

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Options of the test browser: it sends no requests of its own. */
export const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { chromium } = await import("@playwright/test");
  const path = findChromium() ?? chromium.executablePath();
  if (!existsSync(path)) process.exit(1);
  console.log(path);
}
