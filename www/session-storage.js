// Values in the tab's session storage. The page stores nothing anywhere else.

const PREFIX = "callerid.";

/** Reads a value; `undefined` if absent or unreadable. */
export function recall(name) {
  try {
    const text = sessionStorage.getItem(PREFIX + name);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Stores a value; `undefined` removes it. Does nothing if the storage is full or forbidden. */
export function keep(name, value) {
  try {
    if (value === undefined) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Then a reload starts over.
  }
}
