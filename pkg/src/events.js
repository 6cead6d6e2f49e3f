// Converts objects and events of the control surface to the package's types.

/** @import { Call, Change, OutgoingCallerId } from "./client-types.js" */

/** @typedef {{ id?: string | undefined, name?: string, data: string }} ServerEvent */

/** An incremental parser of text/event-stream. */
export class EventReader {
  #rest = "";
  /** @type {ServerEvent} */
  #event = { data: "" };

  /** @param {string} [lastId] */
  constructor(lastId) {
    this.lastId = lastId;
  }

  /**
   * Parses the next piece of the stream. Returns the events that end in it.
   *
   * @param {string} piece
   */
  read(piece) {
    // A CR at the end may be the first half of a CR LF, so it waits for the next piece.
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    /** @type {ServerEvent[]} */
    const events = [];
    for (const line of lines) {
      const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (line === "") {
        if (this.#event.data) events.push({ id: this.lastId, ...this.#event });
        this.#event = { data: "" };
      } else if (field === "id") this.lastId = value;
      else if (field === "event") this.#event.name = value;
      else if (field === "data") this.#event.data += (this.#event.data && "\n") + value;
    }
    return events;
  }
}

/**
 * Converts an event to a change; `undefined` for a type that only a newer server knows.
 *
 * @param {ServerEvent} event
 * @returns {Change | undefined}
 */
export function toChange({ id = "", name: type, data }) {
  switch (type) {
    case "call":
      return { type, id, call: toCall(JSON.parse(data)) };
    case "caller-id-added":
    case "caller-id-updated":
      return { type, id, callerId: toCallerId(JSON.parse(data)) };
    case "caller-id-deleted":
      return { type, id, sid: JSON.parse(data).sid };
    case "reset":
      return { type, id };
  }
}

/**
 * Converts a call of the control surface.
 *
 * @param {any} json
 * @returns {Call}
 */
export function toCall(json) {
  return {
    callSid: json.call_sid,
    accountSid: json.account_sid,
    phoneNumber: json.phone_number,
    friendlyName: json.friendly_name,
    caller: json.caller ?? null,
    status: json.status,
    failure: json.failure ?? null,
    verificationStatus: json.verification_status,
    entriesLeft: json.entries_left,
    digitsKeyed: json.digits_keyed,
    createdAt: new Date(json.created_at),
    dueAt: new Date(json.due_at),
    expiresAt: new Date(json.expires_at),
    ringingAt: json.ringing_at && new Date(json.ringing_at),
    answeredAt: json.answered_at && new Date(json.answered_at),
    endedAt: json.ended_at && new Date(json.ended_at),
  };
}

/**
 * @param {any} json
 * @returns {OutgoingCallerId}
 */
function toCallerId(json) {
  return {
    sid: json.sid,
    accountSid: json.account_sid,
    friendlyName: json.friendly_name,
    phoneNumber: json.phone_number,
    dateCreated: new Date(json.date_created),
    dateUpdated: new Date(json.date_updated),
  };
}
