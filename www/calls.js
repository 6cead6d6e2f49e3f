// The calls of an account as the page knows them. Answers and events come in any order: a call never goes back.

const RANK = { queued: 0, ringing: 1, "in-progress": 2 };
const rank = (call) => RANK[call.status] ?? 3;

/** Whether a call is still to end. */
export const isLive = (call) => rank(call) < 3;

export class Calls {
  #calls = new Map();

  /** Takes a call as it stands somewhere; returns whether that is news. */
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

  /** Every known call, newest first. */
  all() {
    return [...this.#calls.values()].sort((a, b) => b.createdAt - a.createdAt);
  }

  /** Forgets them all, as for another connection. */
  clear() {
    this.#calls.clear();
  }
}
