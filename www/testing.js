// The drawer of a service that is under the control of tests. Its contents are loaded when it is opened first.

import { byId, setText, show } from "./dom.js";
import { capital } from "./messages.js";

/**
 * Mounts the drawer. It uses `connection()`, and calls `failed(error)` for errors, `enter(number)` to put a number into the form, and
 * `seeded()` when the account has more caller IDs, of which no event tells.
 */
export function mountTesting({ connection, failed, enter, seeded }) {
  const drawer = byId("testing");
  const place = byId("testing-place");
  /** The connection that the contents are for. */
  let loadedFor = null;

  drawer.addEventListener("toggle", async () => {
    const current = connection();
    if (!drawer.open || loadedFor === current) return;
    loadedFor = current;
    try {
      const { mountContents } = await import("./testing/contents.js");
      if (loadedFor === current) mountContents({ drawer, place, connection: current, failed, enter, seeded });
    } catch {
      loadedFor = null;
      setText(place, "This part of the page could not be loaded. Close it and open it again.");
    }
  });

  return {
    /** Shows the drawer if tests control the service. */
    show: (isTest) => {
      show(drawer, isTest);
      if (!isTest) {
        drawer.open = false;
        loadedFor = null;
        place.replaceChildren();
        return;
      }
      const { kind, name } = connection();
      setText(byId("testing-what"), `${kind === "page" ? "This mock" : capital(name)} is under the control of tests.`);
    },
  };
}
