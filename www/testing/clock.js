// The account's clock.

import { element, setText } from "../dom.js";
import { makeButtons, makeField, makeForm, makeInput, whole } from "./form.js";

const TICK_MS = 200;

/** Formats a time as `2008-04-01 18:26:32`. */
const shortTime = (date) => date.toISOString().slice(0, 19).replace("T", " ");

export function mountClock({ ask, run }) {
  const time = element("time", {});
  const state = element("span", { className: "testing-state" });
  /** The service's answer, and when it came. */
  let clock = null;
  let answeredAt;

  const now = () => new Date(Date.parse(clock.now) + (clock.frozen ? 0 : performance.now() - answeredAt));
  const draw = () => {
    if (clock) setText(time, shortTime(now()));
  };

  const take = (answer) => {
    clock = answer;
    answeredAt = performance.now();
    setText(state, clock.frozen ? "Frozen" : "Running");
    setText(freeze, clock.frozen ? "Let it run" : "Freeze");
    if (set.control.value === "") set.control.value = `${clock.now.slice(0, 19)}Z`;
    draw();
  };

  const advance = async (seconds) => {
    take(await ask("POST", "clock/advance", { seconds }));
    return `The clock shows ${shortTime(now())}.`;
  };

  const { root: buttons, buttons: [freeze] } = makeButtons({
    run,
    buttons: [
      ["Freeze", async () => {
        take(await ask("POST", "clock", { frozen: !clock.frozen }));
        return clock.frozen ? "The clock is frozen." : "The clock runs.";
      }],
      ["+1 min", () => advance(60)],
      ["+10 min", () => advance(600)],
      ["Use the server’s clock", async () => {
        take(await ask("DELETE", "clock"));
        return "The clock is the server’s again.";
      }],
    ],
  });
  const seconds = makeField({ label: "Advance by", hint: "Seconds", control: makeInput({ inputMode: "numeric", value: "3600" }), read: whole, place: "seconds", size: "small" });
  const set = makeField({ label: "Set to", hint: "UTC, like 2008-04-01T18:26:32Z", control: makeInput({ className: "mono" }), place: "now", size: "large" });

  const timer = setInterval(() => (time.isConnected ? draw() : clearInterval(timer)), TICK_MS);
  return {
    content: [
      element("p", { className: "testing-clock" }, time, element("span", {}, "UTC"), state),
      buttons,
      element("div", { className: "testing-forms" },
        makeForm({ label: "Advance the clock", fields: [seconds], button: "Advance", run, work: advance }),
        makeForm({
          label: "Set the clock", fields: [set], button: "Set", run,
          work: async (text) => {
            take(await ask("POST", "clock", { now: text }));
            return `The clock shows ${shortTime(now())}.`;
          },
        })),
    ],
    read: () => ask("GET", "clock"),
    update: take,
  };
}
