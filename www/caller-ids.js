// The list of caller IDs: filters, pages, renaming and deleting in the rows, and refreshing after changes.

import { announce } from "./announce.js";
import { FriendlyName, PhoneNumber } from "./callerid.js";
import { byId, element, icon, isBusy, setBusy, setText, show } from "./dom.js";
import { explain, forPeople } from "./messages.js";
import { keep, recall } from "./session-storage.js";

const ROWS = 10;
/** The delay before the list is refreshed, to combine several changes. */
const GATHER_MS = 120;
const FRESH_MS = 2500;

/**
 * Mounts the list. `connection()` returns the connection to use; `failed(error)` is called for errors, and `read(page)` for
 * every page that was fetched.
 */
export function mountCallerIds({ connection, failed, read }) {
  const body = byId("rows");
  const title = byId("caller-ids-title");
  const filter = byId("filter");
  /** Rows by Sid, in the page's order. */
  let rows = new Map();
  let page = null;
  let number = 0;
  let condition = {};
  /** Counts requests, so that only the latest response is shown. */
  let reading = 0;
  let soon;
  /** The kind of the connection. */
  let kind;

  const load = async ({ isQuiet = true } = {}) => {
    const mine = ++reading;
    const asked = connection();
    if (!asked) return;
    if (!page && body.childElementCount === 0) drawBones();
    byId("table").setAttribute("aria-busy", "true");
    try {
      const next = await asked.client.list({ ...condition, page: number, pageSize: ROWS }, asked.options);
      if (mine !== reading) return;
      page = next;
      keep(`rows.${asked.kind}`, page.items.length);
      draw();
      if (!isQuiet) announce(page.items.length === 0 ? byId("blank-title").textContent : byId("pager-text").textContent);
      read(page);
    } catch (error) {
      if (asked.closed.aborted || mine !== reading) return;
      if (error.code === 20006 && number > 0) return await back({ isQuiet });
      failed(error);
      // Unless `failed` has already shown something else here.
      if (!page && mine === reading) drawFailure(explain(error, asked).text);
    } finally {
      if (mine === reading) byId("table").removeAttribute("aria-busy");
    }
  };

  /** The last page is gone, because its rows were deleted: loads the page before it. */
  const back = (options) => {
    number -= 1;
    return load(options);
  };

  const draw = () => {
    const focused = document.activeElement;
    const hadFocus = body.contains(focused);
    const known = new Map();
    let at = body.firstElementChild;
    for (const callerId of page.items) {
      const row = rows.get(callerId.sid) ?? newRow(callerId, rows.size > 0);
      known.set(callerId.sid, row);
      if (row.element === at) at = at.nextElementSibling;
      else body.insertBefore(row.element, at);
      row.update(callerId);
    }
    while (at) {
      const next = at.nextElementSibling;
      at.remove();
      at = next;
    }
    rows = known;
    // Moving a row in the DOM removes the focus from its elements.
    if (hadFocus && document.activeElement !== focused) (body.contains(focused) ? focused : title).focus();
    const { total, start, end } = page;
    const isEmpty = page.items.length === 0;
    setText(byId("caller-ids-count"), total === null ? "" : String(total));
    setText(byId("pager-text"), isEmpty ? "" : `${start + 1}–${end + 1}${total === null ? "" : ` of ${total}`}`);
    setBusy(byId("previous"), !page.hasPrevious);
    setBusy(byId("next"), !page.hasNext);
    show(byId("pager"), page.hasPrevious || page.hasNext);
    show(byId("table"), !isEmpty);
    drawBlank(isEmpty);
  };

  const drawBlank = (isEmpty) => {
    show(byId("blank"), isEmpty);
    if (!isEmpty) return;
    const isFiltered = Object.keys(condition).length > 0;
    setText(byId("blank-title"), isFiltered ? `No caller ID matches “${filter.value.trim()}”` : "No caller IDs yet");
    setText(byId("blank-text"), isFiltered
      ? "The API looks for an exact name, upper and lower case included, or for a number in any format."
      : "Validate a number and it appears here.");
    blankAction(isFiltered ? "Show all" : "", clearFilter);
  };

  const drawFailure = (text) => {
    body.replaceChildren();
    rows = new Map();
    show(byId("table"), false);
    show(byId("pager"), false);
    show(byId("blank"), true);
    setText(byId("blank-title"), "The list could not be loaded");
    setText(byId("blank-text"), text);
    blankAction("Try again", () => load({ isQuiet: false }));
  };

  const drawBones = () => {
    show(byId("blank"), false);
    show(byId("table"), true);
    const length = boneCount();
    show(byId("pager"), length === ROWS);
    setText(byId("pager-text"), "");
    for (const id of ["previous", "next"]) setBusy(byId(id), true);
    setText(byId("caller-ids-count"), "");
    rows = new Map();
    body.replaceChildren(...Array.from({ length }, () => element("tr", { className: "row", attributes: { "aria-hidden": "true" } },
      ...Array.from({ length: 4 }, () => element("td", {}, element("span", { className: "bone" }))))));
  };

  /** As many as there were rows last time, to avoid layout shifts. */
  const boneCount = () => Math.max(1, recall(`rows.${kind}`) ?? (kind === "page" ? ROWS : 1));

  const blankAction = (text, run) => {
    const button = byId("blank-action");
    show(button, text !== "");
    setText(button, text);
    button.onclick = run;
  };

  const clearFilter = () => {
    filter.value = "";
    applyFilter();
    filter.focus();
  };

  const applyFilter = () => {
    if (!connection()) return;
    const text = filter.value.trim();
    number = 0;
    const check = PhoneNumber.check(text);
    condition = text === "" ? {} : check.ok ? { phoneNumber: check.phoneNumber } : { friendlyName: text };
    load({ isQuiet: false });
  };

  const turn = (by) => {
    number = Math.max(0, number + by);
    load({ isQuiet: false });
  };

  const newRow = (callerId, isFresh) => {
    const row = makeRow(callerId, {
      rename: (sid, friendlyName) => {
        const asked = connection();
        return asked.client.update(sid, { friendlyName }, asked.options);
      },
      remove: async (sid) => {
        const asked = connection();
        await asked.client.delete(sid, asked.options);
        const order = [...rows.keys()];
        const at = order.indexOf(sid);
        const neighbour = rows.get(order[at + 1] ?? order[at - 1]);
        (neighbour?.remove ?? title).focus();
        await load();
        if (!body.contains(document.activeElement)) title.focus();
      },
      reload: () => load(),
      words: (error) => {
        const asked = connection();
        failed(error);
        return asked ? explain(error, asked).text : "Sign in first.";
      },
    });
    if (isFresh) {
      row.element.dataset.fresh = "true";
      setTimeout(() => delete row.element.dataset.fresh, FRESH_MS);
    }
    return row;
  };

  byId("filter-form").addEventListener("submit", (event) => {
    event.preventDefault();
    applyFilter();
  });
  // The clear button of the search field resets the filter.
  filter.addEventListener("search", () => filter.value === "" && Object.keys(condition).length > 0 && applyFilter());
  byId("previous").addEventListener("click", () => isBusy(byId("previous")) || turn(-1));
  byId("next").addEventListener("click", () => isBusy(byId("next")) || turn(1));
  setInterval(() => rows.forEach((row) => row.drawDate()), 30_000);

  return {
    load,
    /** Refreshes the list, once for several changes. */
    loadSoon: () => {
      clearTimeout(soon);
      soon = setTimeout(load, GATHER_MS);
    },
    /** Starts over for a new connection of this kind. */
    reset: (next) => {
      kind = next;
      clearTimeout(soon);
      reading++;
      page = null;
      number = 0;
      condition = {};
      filter.value = "";
      drawBones();
    },
    /** Shows why there is no list. */
    refuse: (text) => {
      reading++;
      page = null;
      drawFailure("Caller IDs belong to an account.");
      setText(byId("blank-title"), text);
      blankAction("");
    },
    /** Filters by a number. */
    showNumber: (text) => {
      filter.value = text;
      applyFilter();
      title.focus();
    },
  };
}

/** Creates a row. It has three modes: showing the caller ID, renaming it, and confirming its deletion. */
function makeRow(callerId, { rename, remove, reload, words }) {
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
  let mode = "shown";

  const said = (button, text) => button.replaceChildren(text, element("span", { className: "visually-hidden" }, ` ${callerId.friendlyName}`));

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
    said(renameButton, "Rename");
    said(removeButton, "Delete");
    drawDate();
    row.replaceChildren(name, number, dateCell, actions);
  };

  const drawForm = () => {
    mode = "rename";
    row.dataset.mode = mode;
    const errorId = `error-${callerId.sid}`;
    const input = element("input", { type: "text", value: callerId.friendlyName, autocomplete: "off", attributes: { "aria-label": `Name of ${number.textContent}`, "aria-describedby": errorId } });
    const save = element("button", { type: "submit", className: "button primary" }, "Save");
    const cancel = element("button", { type: "button", className: "button" }, "Cancel");
    const error = element("p", { className: "feedback", id: errorId, dataset: { tone: "bad" } });
    const form = element("form", { className: "row-form", noValidate: true }, input, save, cancel, error);
    const problem = (text) => {
      error.replaceChildren(...(text ? [icon("cross"), text] : []));
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    };
    const leave = () => {
      drawShown();
      renameButton.focus();
    };
    const check = () => {
      const found = FriendlyName.check(input.value);
      problem(found.ok ? "" : found.reason === "too-long" ? `${found.length} characters: a name has at most ${FriendlyName.limit}` : forPeople(found.message));
      return found.ok;
    };
    input.addEventListener("input", check);
    cancel.addEventListener("click", leave);
    form.addEventListener("keydown", (event) => event.key === "Escape" && leave());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (isBusy(save)) return;
      if (!check()) {
        announce(error.textContent);
        input.focus();
        return;
      }
      if (input.value === callerId.friendlyName) {
        leave();
        return;
      }
      setBusy(save, true);
      try {
        callerId = await rename(callerId.sid, input.value);
        leave();
        announce(`Renamed to ${callerId.friendlyName}.`);
        reload();
      } catch (failure) {
        problem(words(failure));
        announce(error.textContent);
        if (failure.status === 404) reload();
      } finally {
        setBusy(save, false);
      }
    });
    const whole = element("td", { className: "cell-whole", colSpan: 4 }, form);
    row.replaceChildren(whole);
    input.focus();
    input.select();
  };

  const drawQuestion = () => {
    mode = "delete";
    row.dataset.mode = mode;
    const questionId = `question-${callerId.sid}`;
    const yes = element("button", { type: "button", className: "button danger", attributes: { "aria-describedby": questionId } }, "Delete");
    const no = element("button", { type: "button", className: "button", attributes: { "aria-describedby": questionId } }, "Keep it");
    const question = element("p", { id: questionId }, "Delete ", element("strong", {}, callerId.friendlyName), "? To get it back, you have to validate it again.");
    const leave = () => {
      drawShown();
      removeButton.focus();
    };
    no.addEventListener("click", leave);
    row.onkeydown = (event) => {
      if (event.key === "Escape" && mode === "delete") leave();
    };
    yes.addEventListener("click", async () => {
      if (isBusy(yes)) return;
      setBusy(yes, true);
      try {
        await remove(callerId.sid);
        announce(`${callerId.friendlyName} is deleted.`);
      } catch (failure) {
        if (failure.status === 404) {
          reload();
          return;
        }
        setText(question, words(failure));
        announce(question.textContent);
      } finally {
        setBusy(yes, false);
      }
    });
    const whole = element("td", { className: "cell-whole", colSpan: 4 },
      element("div", { className: "row-question" }, question, element("div", { className: "row-actions" }, yes, no)));
    row.replaceChildren(whole);
    no.focus();
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
    /** Updates the row's data without interrupting the user, who may be renaming or deleting it. */
    update: (next) => {
      const isSame = next.friendlyName === callerId.friendlyName && Number(next.dateUpdated) === Number(callerId.dateUpdated);
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
