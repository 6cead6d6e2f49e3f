// A row of the list of caller IDs: renaming and deleting in place.

import { announce } from "./announce.js";
import { FriendlyName, PhoneNumber } from "./callerid.js";
import { element, icon, isBusy, setBusy, setText } from "./dom.js";
import { nameProblem } from "./messages.js";

/**
 * Creates a row. It has three modes: showing the caller ID, renaming it, and confirming its deletion. `rename` and `remove` send the request,
 * `reload()` fetches the list, `closed(sid)` is called when renaming or deleting was cancelled, and `words(error)` explains an error.
 */
export function makeRow(callerId, { rename, remove, reload, closed, words }) {
  const row = element("tr", { className: "row" });
  const name = element("td", { className: "cell-name" });
  const number = element("td", { className: "cell-number" });
  const time = element("time", {});
  const exact = element("span", { className: "date-exact", attributes: { role: "tooltip" } });
  const date = element("span", { className: "date", tabIndex: 0 }, time, exact);
  const dateCell = element("td", { className: "cell-date" }, date);
  const renameButton = element("button", { type: "button", className: "button" });
  const removeButton = element("button", { type: "button", className: "button" });
  const actions = element("td", { className: "cell-actions" }, element("div", { className: "row-actions" }, renameButton, removeButton));
  /** What changed while the row was being edited, and what failed. */
  const changed = element("p", { className: "row-changed" });
  const error = element("p", { className: "feedback", id: `error-${callerId.sid}`, dataset: { tone: "bad" } });
  let mode = "shown";
  /** The button that saves or deletes. */
  let confirm;
  let isGone = false;

  const named = (button, text) => button.replaceChildren(text, element("span", { className: "visually-hidden" }, ` ${callerId.friendlyName}`));
  const setError = (text) => error.replaceChildren(...(text ? [icon("cross"), text] : []));

  const drawDate = () => {
    setText(time, relative(callerId.dateCreated));
    exactly ??= new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "long" });
    setText(exact, exactly.format(callerId.dateCreated));
    time.dateTime = callerId.dateCreated.toISOString();
  };

  const drawShown = () => {
    mode = "shown";
    delete row.dataset.mode;
    const national = PhoneNumber.parsePossible(callerId.phoneNumber).national;
    name.replaceChildren(callerId.friendlyName === "" ? national : callerId.friendlyName);
    setText(number, national);
    named(renameButton, "Rename");
    named(removeButton, "Delete");
    drawDate();
    row.replaceChildren(name, number, dateCell, actions);
  };

  /** Replaces the cells by what the user does with the row. */
  const edit = (next, button, ...content) => {
    mode = next;
    confirm = button;
    isGone = false;
    row.dataset.mode = mode;
    setError("");
    setText(changed, "");
    row.replaceChildren(element("td", { className: "cell-whole", colSpan: 4 }, changed, ...content));
  };

  const leave = (button) => {
    drawShown();
    button.focus();
    closed(callerId.sid);
  };

  /** Says what changed elsewhere. */
  const note = (text) => {
    if (changed.textContent === text) return;
    setText(changed, text);
    announce(text);
  };

  const drawForm = () => {
    const input = element("input", { type: "text", value: callerId.friendlyName, autocomplete: "off", attributes: { "aria-label": `Name of ${number.textContent}`, "aria-describedby": error.id } });
    const save = element("button", { type: "submit", className: "button primary" }, "Save");
    const cancel = element("button", { type: "button", className: "button" }, "Cancel");
    const form = element("form", { className: "row-form", noValidate: true }, input, save, cancel, error);
    const check = () => {
      const found = FriendlyName.check(input.value);
      setError(found.ok ? "" : nameProblem(found));
      input.setAttribute("aria-invalid", String(!found.ok));
      return found.ok;
    };
    input.addEventListener("input", check);
    cancel.addEventListener("click", () => leave(renameButton));
    form.addEventListener("keydown", (event) => event.key === "Escape" && leave(renameButton));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (isBusy(save)) return;
      if (!check()) {
        announce(error.textContent);
        input.focus();
        return;
      }
      if (input.value === callerId.friendlyName) {
        leave(renameButton);
        return;
      }
      setBusy(save, true);
      try {
        callerId = await rename(callerId.sid, input.value);
        announce(`Renamed to ${callerId.friendlyName}.`);
        leave(renameButton);
        reload();
      } catch (failure) {
        if (failure.status === 404) return gone();
        setError(words(failure));
        announce(error.textContent);
      }
      setBusy(save, false);
    });
    edit("rename", save, form);
    input.focus();
    input.select();
  };

  const drawQuestion = () => {
    const questionId = `question-${callerId.sid}`;
    const yes = element("button", { type: "button", className: "button danger", attributes: { "aria-describedby": questionId } }, "Delete");
    const no = element("button", { type: "button", className: "button", attributes: { "aria-describedby": questionId } }, "Keep it");
    const question = element("p", { id: questionId }, "Delete ", element("strong", {}, callerId.friendlyName), "? To get it back, you have to validate it again.");
    no.addEventListener("click", () => leave(removeButton));
    row.onkeydown = (event) => {
      if (event.key === "Escape" && mode === "delete") leave(removeButton);
    };
    yes.addEventListener("click", async () => {
      if (isBusy(yes)) return;
      setBusy(yes, true);
      try {
        await remove(callerId.sid);
        announce(`${callerId.friendlyName} is deleted.`);
      } catch (failure) {
        setBusy(yes, false);
        if (failure.status === 404) return gone();
        setError(words(failure));
        announce(error.textContent);
      }
    });
    edit("delete", yes, element("div", { className: "row-question" }, question, element("div", { className: "row-actions" }, yes, no), error));
    no.focus();
  };

  /** Says that the caller ID was deleted elsewhere: what was typed is still there, but cannot be saved. */
  const gone = () => {
    isGone = true;
    setBusy(confirm, true);
    note("This caller ID was deleted elsewhere.");
  };

  renameButton.addEventListener("click", drawForm);
  removeButton.addEventListener("click", drawQuestion);
  date.addEventListener("keydown", (event) => {
    if (event.key === "Escape") date.dataset.dismissed = "true";
  });
  for (const event of ["blur", "mouseleave"]) date.addEventListener(event, () => delete date.dataset.dismissed);
  drawShown();

  return {
    element: row,
    remove: removeButton,
    drawDate,
    note,
    gone,
    reconnected: () => setError(""),
    /** Whether the row must stay: what is typed or asked in it is not done yet. */
    isEdited: () => mode === "rename" || (mode === "delete" && (isGone || !isBusy(confirm))),
    /** Updates the row's data without interrupting the user, who may be renaming or deleting it. */
    update: (next) => {
      const isSame = next.friendlyName === callerId.friendlyName && Number(next.dateUpdated) === Number(callerId.dateUpdated);
      if (mode !== "shown" && next.friendlyName !== callerId.friendlyName) note(`This caller ID is named “${next.friendlyName}” now.`);
      callerId = next;
      if (mode === "shown" && !isSame) {
        const focused = [renameButton, removeButton, date].find((it) => it === document.activeElement);
        drawShown();
        focused?.focus();
      }
    },
  };
}

// Created when the first date is shown: until then the browser need not load its formatting data.
let exactly;
let relatively;
const UNITS = [["year", 31_557_600], ["month", 2_629_800], ["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60]];

function relative(date) {
  relatively ??= new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const seconds = (Date.now() - date) / 1000;
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return relatively.format(-Math.floor(seconds / size), unit);
  }
  return "just now";
}
