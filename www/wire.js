// "On the wire": shows the log, newest first, and the details of the selected exchange, by default the newest.

import { announce } from "./announce.js";
import { byId, copy, element, setText, show } from "./dom.js";
import { formatted } from "./format.js";
import { masked, toCurl } from "./wire-log.js";

/** Formats a time as `14:05:09`. */
const timeOfDay = (date) => date.toTimeString().slice(0, 8);

/** Shows a log. */
export function mountWire(log) {
  const list = byId("wire-list");
  const shown = byId("wire-shown");
  const control = byId("wire-control");
  const copyButton = byId("wire-copy");
  let rows = new Map();
  /** The selected exchange; `null` follows the newest. */
  let chosen = null;
  let drawn = null;
  let isDue = false;

  const visible = () => log.exchanges.filter((exchange) => control.checked || !exchange.isControl);
  /** Prefers exchanges with the API to those with the control surface, because developers look for these. */
  const newest = () => visible().find((it) => !it.isControl) ?? visible().find((it) => !it.isStream) ?? visible()[0] ?? null;
  const current = () => (visible().includes(chosen) ? chosen : newest());

  const draw = () => {
    isDue = false;
    const exchanges = visible();
    const kept = new Map();
    let at = list.firstElementChild;
    for (const exchange of exchanges) {
      const row = rows.get(exchange) ?? newRow(exchange);
      kept.set(exchange, row);
      if (row.item === at) at = at.nextElementSibling;
      else list.insertBefore(row.item, at);
      updateRow(row, exchange);
    }
    while (at) {
      const next = at.nextElementSibling;
      at.remove();
      at = next;
    }
    rows = kept;
    setText(byId("wire-count"), exchanges.length > 0 ? String(exchanges.length) : "");
    drawShown();
  };

  const drawSoon = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  };

  const newRow = (exchange) => {
    const row = {
      method: element("span", { className: "exchange-method" }, exchange.method),
      path: element("span", { className: "exchange-path", title: exchange.url.pathname + exchange.url.search }, shortPath(exchange.url)),
      status: element("span", { className: "exchange-status" }),
      when: element("span", { className: "exchange-when" }, timeOfDay(exchange.startedAt)),
      took: element("span", { className: "exchange-took" }),
    };
    const { method, path, status, when, took } = row;
    row.button = element("button", { type: "button", className: "exchange" }, method, path, status, when, took);
    row.button.addEventListener("click", () => {
      chosen = exchange === newest() ? null : exchange;
      draw();
    });
    row.item = element("li", {}, row.button);
    return row;
  };

  const updateRow = (row, exchange) => {
    const { status, failure } = exchange;
    setText(row.status, status === null ? (failure ? "failed" : "…") : String(status));
    row.status.dataset.tone = failure && status === null ? "bad" : status === null ? "" : status < 400 ? "good" : "bad";
    setText(row.took, exchange.isStream && exchange.isOpen ? "open" : took(exchange));
    const isCurrent = exchange === current();
    if (isCurrent) row.button.setAttribute("aria-current", "true");
    else row.button.removeAttribute("aria-current");
  };

  const drawShown = () => {
    const exchange = current();
    copyButton.disabled = exchange === null;
    if (exchange === null) {
      drawn = null;
      shown.replaceChildren(element("p", { className: "wire-blank" }, "No requests yet."));
      return;
    }
    const version = `${exchange.id} ${exchange.status} ${exchange.isOpen} ${exchange.responseBody.length} ${exchange.failure}`;
    if (version === drawn) return;
    const isSame = drawn?.startsWith(`${exchange.id} `);
    drawn = version;
    const { scrollTop } = shown;
    shown.replaceChildren(...describe(exchange));
    shown.scrollTop = isSame ? scrollTop : 0;
  };

  control.addEventListener("change", draw);
  byId("wire-clear").addEventListener("click", () => {
    chosen = null;
    log.clear();
    announce("The requests are cleared.");
  });
  copyButton.addEventListener("click", () => {
    copy(toCurl(current()), byId("wire-copy-text"));
    announce(current().isLocal
      ? "Copied as curl, for a server at 127.0.0.1, port 8008: this API runs only in the page."
      : "Copied as curl. Set the variable AUTH_TOKEN to your token.");
  });
  log.addEventListener("change", drawSoon);
  show(shown, true);
  draw();
}

const took = (exchange) => (exchange.took === null ? "" : `${exchange.took < 10 ? exchange.took.toFixed(1) : Math.round(exchange.took)} ms`);

/** Shortens a URL to the part that distinguishes requests. */
function shortPath(url) {
  const path = url.pathname.replace(/^\/([\d-]+\/Accounts\/\w+|_callerid)\//, "…/").replace(/\b([A-Z]{2}\w{4})\w{28}\b/g, "$1…");
  return path + decodeURIComponent(url.search.replaceAll("+", " "));
}

function describe(exchange) {
  const sent = contentType(exchange.requestHeaders);
  const parts = [
    element("p", { className: "message-title" }, exchange.isLocal ? "Request, answered in this page" : `Request to ${exchange.url.origin}`),
    element("pre", { className: "message" },
      line([element("span", { className: "start" }, `${exchange.method} ${exchange.url.pathname}${exchange.url.search}`)]),
      ...headerLines(exchange.requestHeaders),
      ...bodyNodes(exchange.requestBody, sent),
    ),
  ];
  const { status, statusText, failure } = exchange;
  if (status === null) {
    parts.push(element("p", { className: "message-title" }, "Response"));
    parts.push(element("pre", { className: "message" }, failure
      ? element("span", { className: "failure" }, failure)
      : element("span", { className: "aside" }, "Waiting…")));
    return parts;
  }
  parts.push(
    element("p", { className: "message-title" }, exchange.isStream ? "Response, a stream of events" : `Response, after ${took(exchange)}`),
    element("pre", { className: "message" },
      line([element("span", { className: "start" }, `${status} ${statusText || (REASONS[status] ?? "")}`.trim())]),
      ...headerLines(exchange.responseHeaders),
      ...bodyNodes(exchange.responseBody, contentType(exchange.responseHeaders)),
      ...(failure ? [line([element("span", { className: "failure" }, failure)])] : []),
    ),
  );
  return parts;
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
  return body === "" ? [] : [line(["\u200b"]), ...formatted(body, type)];
}
