// The account's calls that the page knows of. Responses and events arrive in any order, so an older state never replaces a newer one.

const RANK = { queued: 0, ringing: 1, "in-progress": 2 };
const rank = (call) => RANK[call.status] ?? 3;

export class Calls {
  #calls = new Map();

  /** Stores a call unless a newer state is known. Returns whether it did. */
  take(call) {
    const known = this.#calls.get(call.callSid);
    const isOld = known && (rank(call) < rank(known) || (rank(call) === rank(known) && call.entriesLeft > known.entriesLeft));
    if (isOld) return false;
    this.#calls.set(call.callSid, call);
    return true;
  }

  get(callSid) {
    return this.#calls.get(callSid);
  }

  /** All known calls, newest first. */
  all() {
    return [...this.#calls.values()].sort((a, b) => b.createdAt - a.createdAt);
  }

  /** Forgets these calls. */
  forget(forgotten) {
    for (const { callSid } of forgotten) this.#calls.delete(callSid);
  }

  clear() {
    this.#calls.clear();
  }
}
