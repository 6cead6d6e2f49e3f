// The few steps to the DOM that every part of the page takes.

/** The element with that id. */
export const byId = (id) => document.getElementById(id);

/** A new element with these properties (`dataset` and `attributes` by name) and children. */
export function element(name, { dataset, attributes, ...properties } = {}, ...children) {
  const node = document.createElement(name);
  Object.assign(node, properties);
  Object.assign(node.dataset, dataset);
  for (const [key, value] of Object.entries(attributes ?? {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** An icon of the page's sprite. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Sets a text if it differs: selections stay, and screen readers do not repeat it. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const NUMBER = /(\(\d{3}\) \d{3}-\d{4})/;

/** The same, and no phone number in it is broken at the end of a line. */
export function setUnbroken(node, text) {
  if (node.textContent === text) return;
  // Every second part is what separates the others: a number.
  const parts = text.split(NUMBER);
  node.replaceChildren(...parts.map((part, at) => (at % 2 === 0 ? part : element("span", { className: "unbroken" }, part))));
}

/** Shows or hides an element. */
export function show(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown;
}

/** Marks a button as unavailable for now; unlike `disabled`, that does not take the focus from it. */
export function setBusy(button, isBusy) {
  if (isBusy) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
}

/** Whether a button is marked so. */
export const isBusy = (button) => button.getAttribute("aria-disabled") === "true";

/** Copies a text, and says on the button that it did for as long as that takes to read. */
export async function copy(text, label) {
  label.dataset.says ??= label.textContent;
  try {
    await navigator.clipboard.writeText(text);
    setText(label, "Copied");
  } catch {
    setText(label, "Select it to copy");
  }
  clearTimeout(label.timer);
  label.timer = setTimeout(() => setText(label, label.dataset.says), 2000);
}
