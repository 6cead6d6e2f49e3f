// "Requests and responses": shows the log, newest first, and the details of the selected row, by default the newest. A row is an exchange, or
// several that key digits in the same call.

import { announce } from "./announce.js";
import { byId, copy, element, setText, show } from "./dom.js";
import { formatted } from "./format.js";
import { masked, toCurl } from "./wire-log.js";

/** Longer bodies are not formatted, and cut. */
const BODY_CHARS_MAX = 40_000;

/** Formats a time as `14:05:09`. */
const timeOfDay = (date) => date.toTimeString().slice(0, 8);

/** Shows a log. */
export function mountWire(log) {
  const list = byId("wire-list");
  const place = byId("wire-list-place");
  const shown = byId("wire-shown");
  const control = byId("wire-control");
  const copyButton = byId("wire-copy");
  const newestButton = byId("wire-newest");
  /** Rows by their oldest exchange. */
  let rows = new Map();
  /** The oldest exchange of the selected row; `null` follows the newest. */
  let chosen = null;
  let drawn = null;
  let isDue = false;

  /** The rows' exchanges, newest first. */
  const groups = () => {
    const found = [];
    for (const exchange of log.exchanges.filter((it) => control.checked || !it.isControl)) {
      if (isKeying(exchange) && found.at(-1)?.[0].url.href === exchange.url.href) found.at(-1).push(exchange);
      else found.push([exchange]);
    }
    return found;
  };
  /** Prefers exchanges with the API to those with the control surface, because developers look for these. */
  const newest = (all) => all.find(([it]) => !it.isControl) ?? all.find(([it]) => !it.isStream) ?? all[0] ?? null;
  const current = (all = groups()) => all.find((it) => it.at(-1) === chosen) ?? newest(all);

  const draw = () => {
    isDue = false;
    const all = groups();
    const now = current(all);
    const before = rows.get(chosen)?.item.offsetTop;
    const kept = new Map();
    all.forEach((group, index) => {
      const row = rows.get(group.at(-1)) ?? newRow(group);
      kept.set(group.at(-1), row);
      const at = list.children[index] ?? null;
      if (row.item !== at) list.insertBefore(row.item, at);
      updateRow(row, group, group === now);
    });
    while (list.children.length > all.length) list.lastElementChild.remove();
    rows = kept;
    // The selected row stays where it is, though others come above it.
    if (before !== undefined && rows.has(chosen)) place.scrollTop += rows.get(chosen).item.offsetTop - before;
    setText(byId("wire-count"), all.length > 0 ? String(all.length) : "");
    show(newestButton, now !== newest(all));
    drawShown(now);
  };

  const drawSoon = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  };

  const newRow = (group) => {
    const { method, url, startedAt } = group[0];
    const row = {
      path: element("span", { className: "exchange-path", title: url.pathname + url.search }),
      status: element("span", { className: "exchange-status" }),
      took: element("span", { className: "exchange-took" }),
    };
    row.button = element("button", { type: "button", className: "exchange" },
      element("span", { className: "exchange-method" }, method), row.path, row.status,
      element("span", { className: "exchange-when" }, timeOfDay(startedAt)), row.took);
    row.button.addEventListener("click", () => select(group.at(-1)));
    row.item = element("li", {}, row.button);
    return row;
  };

  const updateRow = (row, group, isCurrent) => {
    const [exchange] = group;
    const { status, failure } = exchange;
    setText(row.path, shortPath(exchange.url) + (group.length > 1 ? ` ×${group.length}` : ""));
    setText(row.status, status === null ? (failure ? "failed" : "…") : String(status));
    row.status.dataset.tone = failure && status === null ? "bad" : status === null ? "" : status < 400 ? "good" : "bad";
    setText(row.took, exchange.isStream && exchange.isOpen ? "open" : took(exchange));
    if (isCurrent) row.button.setAttribute("aria-current", "true");
    else row.button.removeAttribute("aria-current");
  };

  const drawShown = (group) => {
    copyButton.disabled = group === null;
    if (group === null) {
      drawn = null;
      shown.replaceChildren(element("p", { className: "wire-blank" }, "No requests yet."));
      return;
    }
    const version = `${group.at(-1).id} ${group.length} ${group.map((it) => `${it.status} ${it.isOpen} ${it.responseBody.length} ${it.failure}`)}`;
    if (version === drawn) return;
    const isSame = drawn?.startsWith(`${group.at(-1).id} `);
    const isOpen = isSame && shown.querySelector("details")?.open;
    drawn = version;
    const { scrollTop } = shown;
    shown.replaceChildren(...group.flatMap(describe));
    if (isOpen) for (const details of shown.querySelectorAll("details")) details.open = true;
    shown.scrollTop = isSame ? scrollTop : 0;
  };

  const select = (exchange) => {
    chosen = exchange;
    draw();
  };

  control.addEventListener("change", draw);
  newestButton.addEventListener("click", () => {
    select(null);
    place.scrollTop = 0;
    shown.focus();
  });
  byId("wire-clear").addEventListener("click", () => {
    chosen = null;
    log.clear();
    announce("The requests are cleared.");
  });
  copyButton.addEventListener("click", () => {
    const group = current();
    copy(group.map(toCurl).reverse().join("\n"), byId("wire-copy-text"));
    announce(group[0].isLocal
      ? "Copied as curl, for a server at 127.0.0.1, port 8008: this API runs only in the page."
      : "Copied as curl. Set the variable AUTH_TOKEN to your token.");
  });
  log.addEventListener("change", drawSoon);
  show(shown, true);
  draw();
}

/** Whether an exchange keys digits. */
const isKeying = (exchange) => /^\/_callerid\/calls\/\w+\/digits$/.test(exchange.url.pathname);

const took = (exchange) => (exchange.took === null ? "" : `${exchange.took < 10 ? exchange.took.toFixed(1) : Math.round(exchange.took)} ms`);

/** Shortens a URL to the part that distinguishes requests. */
export function shortPath(url) {
  const path = url.pathname.replace(/^\/([\d-]+\/Accounts\/\w+|_callerid)\//, "…/").replace(/\b([A-Z]{2}\w{4})\w{28}\b/g, "$1…");
  return path + decodeURIComponent(url.search.replaceAll("+", " "));
}

function describe(exchange) {
  const { status, statusText, failure } = exchange;
  const broken = failure ? [line([element("span", { className: "failure" }, failure)])] : [];
  const request = message(
    exchange.isLocal ? "Request, answered in this page" : `Request to ${exchange.url.origin}`,
    `${exchange.method} ${exchange.url.pathname}${exchange.url.search}`, exchange.requestBody, exchange.requestHeaders);
  if (status === null) {
    const waiting = failure ? broken : [element("span", { className: "aside" }, "Waiting…")];
    return [...request, element("p", { className: "message-title" }, "Response"), element("pre", { className: "message" }, ...waiting)];
  }
  return [...request, ...message(
    exchange.isStream ? "Response, a stream of events" : `Response, after ${took(exchange)}`,
    `${status} ${statusText || (REASONS[status] ?? "")}`.trim(), exchange.responseBody, exchange.responseHeaders, broken)];
}

/** A request or response: its first line, its body, then its headers. Those for access from other origins are folded. */
function message(title, start, body, headers, more = []) {
  const isCors = ([name]) => name.startsWith("access-control-");
  const cors = headers.filter(isCors);
  const folded = cors.length === 0 ? [] : [element("details", {},
    element("summary", {}, `${cors.length} ${cors.length === 1 ? "header" : "headers"} for other origins (CORS)`), element("pre", { className: "message" }, ...headerLines(cors)))];
  return [
    element("p", { className: "message-title" }, title),
    element("pre", { className: "message" },
      line([element("span", { className: "start" }, start)]),
      ...bodyNodes(body, contentType(headers)),
      ...more,
      line(["\u200b"]),
      ...headerLines(headers.filter((it) => !isCors(it)))),
    ...folded,
  ];
}

/** The status texts, which HTTP/2 and the mock omit. */
const REASONS = {
  200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
  408: "Request Timeout", 409: "Conflict", 413: "Content Too Large", 429: "Too Many Requests",
  500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
};

const line = (nodes) => element("span", { className: "line" }, ...nodes);

const contentType = (headers) => headers.find(([name]) => name === "content-type")?.[1];

function headerLines(headers) {
  return headers.map(([name, value]) => {
    const text = masked(name, value);
    return line([
      element("span", { className: "field-name" }, `${name}: `),
      text === value ? text : element("span", { className: "secret" }, text),
    ]);
  });
}

function bodyNodes(body, type) {
  const rest = body.length - BODY_CHARS_MAX;
  if (body === "") return [];
  if (rest > 0) return [line([body.slice(0, BODY_CHARS_MAX)]), line([element("span", { className: "aside" }, `… and ${rest.toLocaleString("en")} more characters`)])];
  const nodes = formatted(body, type);
  return nodes[0].className === "line" ? nodes : [line(nodes)];
}
