// The list of caller IDs: the filter, the order, pages, and refreshing after changes.

import { announce } from "./announce.js";
import { makeRow } from "./caller-id-row.js";
import { PhoneNumber } from "./callerid.js";
import { byId, element, isBusy, setBusy, setText, show } from "./dom.js";
import { explain } from "./messages.js";
import { keep, recall } from "./session-storage.js";

/** As many rows as one request can bring. */
const WHOLE = 1000;
/** The delay before the list is refreshed, to combine several changes. */
const GATHER_MS = 120;
const FRESH_MS = 2500;

const byText = new Intl.Collator("en", { numeric: true });
/** The orders of the rows. The service's own is the newest first. */
const ORDERS = {
  newest: null,
  oldest: (a, b) => a.dateCreated - b.dateCreated,
  name: (a, b) => byText.compare(a.friendlyName, b.friendlyName),
  number: (a, b) => byText.compare(a.phoneNumber, b.phoneNumber),
};

/** Returns whether a caller ID has this text in its name, or these digits in its number. */
function finder(text) {
  const check = PhoneNumber.check(text);
  const digits = check.ok ? check.phoneNumber.toString() : /^[\d\s().+-]*$/.test(text) ? text.replace(/\D/g, "") : "";
  const name = text.toLowerCase();
  return (it) => it.friendlyName.toLowerCase().includes(name) || (digits !== "" && it.phoneNumber.includes(digits));
}

/**
 * Mounts the list. `connection()` returns the connection to use; `failed(error)` is called for errors, and `read(page)` for
 * every page that was fetched.
 */
export function mountCallerIds({ connection, failed, read }) {
  const body = byId("rows");
  const title = byId("caller-ids-title");
  const filter = byId("filter");
  const order = byId("order");
  const size = byId("page-size");
  /** Rows by Sid, in the page's order. */
  let rows = new Map();
  let page = null;
  let number = 0;
  /** The text that the list is filtered by. */
  let sought = "";
  /** How many caller IDs there are; and all of them, while that is needed and until something changes. */
  let count = Infinity;
  let all = null;
  /** Counts requests, so that only the latest response is shown. */
  let reading = 0;
  let soon;
  let typing;
  /** The kind of the connection. */
  let kind;

  const rowsPerPage = () => Number(size.value);
  /** Whether one request brings all caller IDs, so that the page can find parts of names and sort. */
  const isWhole = () => count <= WHOLE;

  /** Fetches the list anew. */
  const load = (options) => {
    all = null;
    return turnTo(number, options);
  };

  const turnTo = async (next, { isQuiet = true } = {}) => {
    number = Math.max(0, next);
    const mine = ++reading;
    const asked = connection();
    if (!asked) return;
    if (!page && body.childElementCount === 0) drawBones();
    byId("table").setAttribute("aria-busy", "true");
    try {
      const fetched = await fetchPage(asked);
      if (mine !== reading) return;
      page = fetched;
      keep(`rows.${asked.kind}`, page.items.length);
      draw();
      if (!isQuiet) announce(page.items.length === 0 ? byId("blank-title").textContent : byId("pager-text").textContent);
      read(page);
    } catch (error) {
      if (asked.closed.aborted || mine !== reading) return;
      // The last page is gone, because its rows were deleted.
      if (error.code === 20006 && number > 0) return await turnTo(number - 1, { isQuiet });
      failed(error);
      // Unless `failed` has already shown something else here.
      if (!page && mine === reading) drawFailure(explain(error, asked).text);
    } finally {
      if (mine === reading) byId("table").removeAttribute("aria-busy");
    }
  };

  /** Fetches a page from the service, or, to find parts and to sort, all caller IDs. */
  const fetchPage = async ({ client, options }) => {
    const pageSize = rowsPerPage();
    if (isWhole() && (sought !== "" || order.value !== "newest")) {
      all ??= (await client.list({ pageSize: WHOLE }, options)).items;
      count = all.length;
      const items = all.filter(finder(sought)).sort(ORDERS[order.value] ?? (() => 0));
      number = Math.min(number, Math.max(0, Math.ceil(items.length / pageSize) - 1));
      const start = number * pageSize;
      const shown = items.slice(start, start + pageSize);
      return { items: shown, total: items.length, start, end: start + shown.length - 1, hasPrevious: number > 0, hasNext: start + pageSize < items.length };
    }
    const check = PhoneNumber.check(sought);
    const condition = sought === "" ? {} : check.ok ? { phoneNumber: check.phoneNumber } : { friendlyName: sought };
    const fetched = await client.list({ ...condition, page: number, pageSize }, options);
    if (sought === "") count = fetched.total ?? (number === 0 && !fetched.hasNext ? fetched.items.length : Infinity);
    return fetched;
  };

  const isOnPage = (sid) => page?.items.some((it) => it.sid === sid) ?? false;
  /** The rows that are being renamed, or asked about. They stay, although the list changes. */
  const edited = () => [...rows].filter(([, row]) => row.isEdited());

  const draw = () => {
    const focused = document.activeElement;
    const hadFocus = body.contains(focused);
    const known = new Map(edited().filter(([sid]) => !isOnPage(sid)));
    known.forEach(lookFor);
    for (const callerId of page.items) {
      const row = rows.get(callerId.sid) ?? newRow(callerId, rows.size > 0);
      known.set(callerId.sid, row);
      row.update(callerId);
    }
    rows = known;
    place();
    // Moving a row in the DOM removes the focus from its elements.
    if (hadFocus && document.activeElement !== focused) (body.contains(focused) ? focused : title).focus();
    const { total, start, end } = page;
    const isEmpty = page.items.length === 0;
    setText(byId("caller-ids-count"), total === null ? "" : String(total));
    setText(byId("pager-text"), isEmpty ? "" : `${start + 1}–${end + 1}${total === null ? "" : ` of ${total}`}`);
    setBusy(byId("previous"), !page.hasPrevious);
    setBusy(byId("next"), !page.hasNext);
    show(byId("pager"), page.hasPrevious || page.hasNext || size.value !== size.options[0].value);
    show(byId("table"), rows.size > 0);
    show(byId("order-place"), isWhole());
    show(byId("filter-submit"), !isWhole());
    filter.placeholder = isWhole() ? "Part of a name or number" : "Whole name or number";
    drawBlank(isEmpty);
  };

  /** Puts the rows in order. Moves only those that are elsewhere, if possible with the caret in them. */
  const place = () => {
    const elements = [...rows.values()].map((row) => row.element);
    for (const gone of [...body.children].filter((it) => !elements.includes(it))) gone.remove();
    elements.forEach((it, index) => {
      const at = body.children[index] ?? null;
      if (it !== at) body[it.isConnected && body.moveBefore ? "moveBefore" : "insertBefore"](it, at);
    });
  };

  /** Tells a row that is being edited why it is not on this page. */
  const lookFor = async (row, sid) => {
    const { client, options } = connection();
    row.note(sought === "" ? "This caller ID is on another page now." : `This caller ID does not match “${sought}”.`);
    try {
      row.update(await client.fetch(sid, options));
    } catch (error) {
      if (error.status === 404) row.gone();
    }
  };

  const drawBlank = (isEmpty) => {
    show(byId("blank"), isEmpty);
    if (!isEmpty) return;
    setText(byId("blank-title"), sought !== "" ? `No caller ID matches “${sought}”` : "No caller IDs yet");
    setText(byId("blank-text"), sought === "" ? "Validate a number, and it appears here."
      : isWhole() ? "No name and no number contains that." : "The service compares whole names, upper and lower case included, and whole numbers.");
    blankAction(sought === "" ? "" : "Show all", clearFilter);
  };

  const drawFailure = (text) => {
    rows = new Map(edited());
    place();
    show(byId("table"), rows.size > 0);
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
    show(byId("pager"), length === rowsPerPage());
    setText(byId("pager-text"), "");
    for (const id of ["previous", "next"]) setBusy(byId(id), true);
    setText(byId("caller-ids-count"), "");
    rows = new Map(edited());
    place();
    body.append(...Array.from({ length }, () => element("tr", { className: "row", attributes: { "aria-hidden": "true" } },
      ...Array.from({ length: 4 }, () => element("td", {}, element("span", { className: "bone" }))))));
  };

  /** As many as there were rows last time, to avoid layout shifts. */
  const boneCount = () => Math.max(1, recall(`rows.${kind}`) ?? (kind === "page" ? rowsPerPage() : 1));

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
    clearTimeout(typing);
    sought = filter.value.trim();
    turnTo(0, { isQuiet: false });
  };

  const newRow = (callerId, isFresh) => {
    const row = makeRow(callerId, {
      rename: (sid, friendlyName) => {
        const asked = connection();
        return asked.client.update(sid, { friendlyName }, asked.options);
      },
      remove: async (sid) => {
        const asked = connection();
        const sids = [...rows.keys()];
        const at = sids.indexOf(sid);
        await asked.client.delete(sid, asked.options);
        (rows.get(sids[at + 1] ?? sids[at - 1])?.remove ?? title).focus();
        await load();
        if (!body.contains(document.activeElement)) title.focus();
      },
      reload: () => load(),
      closed: (sid) => page && !isOnPage(sid) && draw(),
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
  // Parts are found while typing. A whole name is sought when it is complete, or the field was cleared.
  filter.addEventListener("input", () => {
    if (!isWhole() && filter.value !== "") return;
    clearTimeout(typing);
    typing = setTimeout(applyFilter, GATHER_MS);
  });
  order.addEventListener("change", () => turnTo(0, { isQuiet: false }));
  size.addEventListener("change", () => turnTo(Math.floor((page?.start ?? 0) / rowsPerPage()), { isQuiet: false }));
  byId("previous").addEventListener("click", () => isBusy(byId("previous")) || turnTo(number - 1, { isQuiet: false }));
  byId("next").addEventListener("click", () => isBusy(byId("next")) || turnTo(number + 1, { isQuiet: false }));
  setInterval(() => rows.forEach((row) => row.drawDate()), 30_000);

  return {
    load,
    /** Refreshes the list, once for several changes. */
    loadSoon: () => {
      clearTimeout(soon);
      soon = setTimeout(load, GATHER_MS);
    },
    /** Forgets what failed while there was no connection. */
    reconnected: () => rows.forEach((row) => row.reconnected()),
    /** Starts over for a new connection of this kind. */
    reset: (next) => {
      if (next !== kind) rows = new Map();
      kind = next;
      clearTimeout(soon);
      reading++;
      page = null;
      number = 0;
      sought = "";
      count = Infinity;
      all = null;
      filter.value = "";
      order.value = "newest";
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
