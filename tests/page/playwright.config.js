import { defineConfig } from "@playwright/test";

import { ARGUMENTS, findChromium } from "./browser.js";

export default defineConfig({
  testDir: "specs",
  fullyParallel: true,
  forbidOnly: true,
  workers: 2,
  maxFailures: 10,
  retries: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["line"], ["./shortage.js"]],
  use: {
    viewport: { width: 1280, height: 900 },
    contextOptions: { reducedMotion: "reduce" },
    launchOptions: { executablePath: findChromium(), args: ARGUMENTS },
    permissions: ["clipboard-read", "clipboard-write"],
    actionTimeout: 10_000,
  },
});
