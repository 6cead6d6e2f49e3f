// What tests control of a mock: its clock, seed, faults and phones, over the control surface of `callerid serve --test`.

import { PhoneNumber } from "../phone-number.js";
import { texts } from "../wasm.js";

/** @import { RequestOptions } from "../client-types.js" */
/** @import { CallFilter, Fault, LoggedRequest, MockCall, NewFault, Seed } from "../mock-types.js" */

/**
 * Sends a request to the control surface of a mock. Returns the document as the wire has it.
 *
 * @typedef {(method: string, target: string, body?: string) => any} Control
 */

/** The longest wait of one request for a call, in seconds. */
const WAIT_SECONDS = 60;

/** The clock of a mock's account. What becomes due has happened when a method returns. */
export class Clock {
  #control;

  /** @param {Control} control */
  constructor(control) {
    this.#control = control;
  }

  /** Its time. */
  get now() {
    return new Date(this.#control("GET", "clock").now);
  }

  /** Whether it stands still, except for {@link advance}. */
  get isFrozen() {
    return /** @type {boolean} */ (this.#control("GET", "clock").frozen);
  }

  /**
   * Sets it. It runs on from there, unless it is frozen.
   *
   * @param {Date} now
   */
  set(now) {
    this.#control("POST", "clock", toWire({ now }));
  }

  /**
   * Advances it. Each change has its own time, but events may be fired, and status callbacks sent, when the clock is already later.
   *
   * @param {number} milliseconds
   */
  advance(milliseconds) {
    if (!(milliseconds >= 0)) throw new RangeError(`a clock goes forward: ${milliseconds} ms`);
    const seconds = Math.floor(milliseconds / 1000);
    this.#control("POST", "clock/advance", toWire({ seconds, milliseconds: Math.floor(milliseconds % 1000) }));
  }

  /**
   * Stops it, at its time or at another one.
   *
   * @param {Date} [now]
   */
  freeze(now) {
    this.#control("POST", "clock", toWire({ now, frozen: true }));
  }

  /** Lets it run with the clock of the mock again. */
  reset() {
    this.#control("DELETE", "clock");
  }
}

/** Requests to a mock that go wrong on purpose. */
export class Faults {
  #control;

  /** @param {Control} control */
  constructor(control) {
    this.#control = control;
  }

  /**
   * Adds a fault, for the requests that match and that no older fault is for.
   *
   * @param {NewFault} fault
   * @returns {Fault}
   * @throws {RestException} if a value is invalid. The message names its place.
   */
  add(fault) {
    return fromWire(this.#control("POST", "faults", toWire(fault)));
  }

  /**
   * The faults, oldest first.
   *
   * @returns {Fault[]}
   */
  list() {
    return fromWire(this.#control("GET", "faults").faults);
  }

  /**
   * Sends the responses that a fault with `hold` holds back, and removes it.
   *
   * @param {number} id
   */
  release(id) {
    this.#control("POST", `faults/${id}/release`);
  }

  /**
   * Removes a fault.
   *
   * @param {number} id
   */
  remove(id) {
    this.#control("DELETE", `faults/${id}`);
  }

  /** Removes all faults. */
  clear() {
    this.#control("DELETE", "faults");
  }
}

/** The log of a mock's requests. */
export class Requests {
  #control;

  /** @param {Control} control */
  constructor(control) {
    this.#control = control;
  }

  /**
   * The requests, oldest first; with `since`, those after the request with this id.
   *
   * @param {{ since?: number | undefined }} [options]
   * @returns {LoggedRequest[]}
   */
  list({ since = 0 } = {}) {
    const { requests } = this.#control("GET", `requests?since=${since}`);
    return fromWire(requests).map((/** @type {any} */ request) => ({ ...request, at: new Date(request.at) }));
  }

  /** Empties the log. */
  clear() {
    this.#control("DELETE", "requests");
  }
}

/** The codes of a mock's live validations. */
export class Codes {
  #control;

  /** @param {Control} control */
  constructor(control) {
    this.#control = control;
  }

  /**
   * The code that the number's live call expects.
   *
   * @param {string | PhoneNumber} phoneNumber
   * @returns {string}
   * @throws {RestException} with status 404 if the number has no live call.
   */
  get(phoneNumber) {
    return this.#control("GET", `codes/${PhoneNumber.parse(phoneNumber.toString())}`).validation_code;
  }
}

/** The calls of a mock. */
export class Calls {
  #ask;

  /** @param {(query: string, signal: RequestOptions["signal"]) => Promise<MockCall>} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * Resolves to the newest call that matches, or to the first that does.
   *
   * @param {CallFilter} [filter]
   * @param {RequestOptions} [options]
   * @returns {Promise<MockCall>}
   */
  async next({ phoneNumber, status } = {}, { signal } = {}) {
    const number = phoneNumber === undefined ? undefined : PhoneNumber.parse(phoneNumber.toString());
    const query = new URLSearchParams(texts({ phone_number: number, status, wait: WAIT_SECONDS }));
    return this.#ask(String(query), signal);
  }
}

/**
 * The JSON of a document: its properties have the names of the wire, `phone_number` for `phoneNumber`. Keys that are numbers or `*`
 * stay as they are.
 *
 * @param {unknown} document
 */
export function toWire(document) {
  /** @param {string} name */
  const snakeCase = (name) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return JSON.stringify(document, (_, value) => (isObject(value) ? renamed(value, snakeCase) : value));
}

/**
 * The object that a document of the wire is in JavaScript.
 *
 * @param {any} value
 * @returns {any}
 */
export function fromWire(value) {
  if (Array.isArray(value)) return value.map(fromWire);
  if (!isObject(value)) return value;
  const camelCase = (/** @type {string} */ name) => name.replace(/_[a-z]/g, (letter) => letter.slice(1).toUpperCase());
  const object = renamed(value, camelCase);
  for (const name of Object.keys(object)) object[name] = fromWire(object[name]);
  return object;
}

/**
 * @param {any} value
 * @returns {value is Record<string, any>}
 */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * @param {Record<string, any>} object
 * @param {(name: string) => string} rename
 */
const renamed = (object, rename) => Object.fromEntries(Object.entries(object).map(([name, value]) => [rename(name), value]));

/**
 * The document of a seed.
 *
 * @param {Seed} seed
 */
export function seedDocument({ callerIds = [], codes = {}, phones = {} }) {
  const rows = callerIds.map(({ phoneNumber, friendlyName, ...rest }) => ({
    phoneNumber: PhoneNumber.parse(phoneNumber.toString()),
    // An empty name counts as none, as in the API.
    friendlyName: friendlyName || undefined,
    ...rest,
  }));
  return toWire({ callerIds: rows, codes, phones });
}
