// DOM helpers.

export const byId = (id) => document.getElementById(id);

/** Creates an element with these properties (`dataset` and `attributes` are set by name) and children. */
export function element(name, { dataset, attributes, ...properties } = {}, ...children) {
  const node = document.createElement(name);
  Object.assign(node, properties);
  Object.assign(node.dataset, dataset);
  for (const [key, value] of Object.entries(attributes ?? {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Creates an icon from the page's sprite. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Sets a text only if it differs, so that selections remain and screen readers do not repeat it. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const NUMBER = /(\(\d{3}\) \d{3}-\d{4})/;

/** Like `setText`, but prevents line breaks within phone numbers. */
export function setUnbroken(node, text) {
  if (node.textContent === text) return;
  // Odd parts are the matched numbers.
  const parts = text.split(NUMBER);
  node.replaceChildren(...parts.map((part, at) => (at % 2 === 0 ? part : element("span", { className: "unbroken" }, part))));
}

export function show(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown;
}

/** Marks a button as unavailable for now. Unlike `disabled`, this does not remove the focus from it. */
export function setBusy(button, isBusy) {
  if (isBusy) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
}

/** Whether `setBusy` has marked a button. */
export const isBusy = (button) => button.getAttribute("aria-disabled") === "true";

/** Copies a text, and shows the result on the button's label for two seconds. */
export async function copy(text, label) {
  label.dataset.says ??= label.textContent;
  try {
    await navigator.clipboard.writeText(text);
    setText(label, "Copied");
    label.parentElement.dataset.copied = "true";
  } catch {
    setText(label, "Select it to copy");
  }
  clearTimeout(label.timer);
  label.timer = setTimeout(() => {
    setText(label, label.dataset.says);
    delete label.parentElement.dataset.copied;
  }, 2000);
}
