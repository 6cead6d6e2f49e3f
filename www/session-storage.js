// What is kept for the tab's session, and no longer: nothing is written anywhere else.

const PREFIX = "callerid.";

/** What is kept under that name; `undefined` if nothing is, or if it cannot be read. */
export function recall(name) {
  try {
    const text = sessionStorage.getItem(PREFIX + name);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keeps a value; `undefined` forgets it. Where storage is full or forbidden, the page goes on without. */
export function keep(name, value) {
  try {
    if (value === undefined) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A reload starts over, and that is all.
  }
}
