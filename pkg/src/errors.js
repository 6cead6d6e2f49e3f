// Error classes. The core throws them too.

import { BRAND, hasInstance } from "./brand.js";

/** @import { Call } from "./client-types.js" */
/** @import { InvalidPhoneNumberReason, InvalidPhoneNumberValues } from "./phone-types.js" */

/** What the package's errors have in common. An error's JSON contains its name and message; `revive` reads it back. */
class CallerIdError extends Error {
  /**
   * @internal
   * @param {unknown} value
   */
  static [Symbol.hasInstance](value) {
    return hasInstance(this, value);
  }

  /** The error's name, message and properties. */
  toJSON() {
    const { name, message } = this;
    return { ...this, name, message };
  }
}

/**
 * Thrown if a string is not a valid phone number. The message is for the person who typed it. Its values are there for other words and
 * languages; those that the reason does not have are absent.
 */
export class InvalidPhoneNumber extends CallerIdError {
  /**
   * @param {InvalidPhoneNumberReason} reason
   * @param {string} message
   * @param {number} at
   * @param {InvalidPhoneNumberValues} [values]
   */
  constructor(reason, message, at, { digits, expected, country, areaCode, exchange, stray } = {}) {
    super(message);
    /** @readonly */
    this.reason = reason;
    /**
     * The position of the error: an index into the string.
     *
     * @readonly
     */
    this.at = at;
    /** @readonly @type {number | undefined} */
    this.digits;
    if (digits !== undefined) this.digits = digits;
    /** @readonly @type {number | undefined} */
    this.expected;
    if (expected !== undefined) this.expected = expected;
    /** @readonly @type {number | undefined} */
    this.country;
    if (country !== undefined) this.country = country;
    /** @readonly @type {number | undefined} */
    this.areaCode;
    if (areaCode !== undefined) this.areaCode = areaCode;
    /** @readonly @type {number | undefined} */
    this.exchange;
    if (exchange !== undefined) this.exchange = exchange;
    /** @readonly @type {string | undefined} */
    this.stray;
    if (stray !== undefined) this.stray = stray;
  }

  /** @returns {"InvalidPhoneNumber"} */
  get name() {
    return "InvalidPhoneNumber";
  }

  /** @internal */
  get [BRAND]() {
    return "InvalidPhoneNumber";
  }
}

/**
 * What the core throws.
 *
 * @internal
 * @param {InvalidPhoneNumberReason} reason
 * @param {string} message
 * @param {number} at
 * @param {number} [digits]
 * @param {number} [expected]
 * @param {number} [country]
 * @param {number} [areaCode]
 * @param {number} [exchange]
 * @param {string} [stray]
 */
export function invalidPhoneNumber(reason, message, at, digits, expected, country, areaCode, exchange, stray) {
  return new InvalidPhoneNumber(reason, message, at, { digits, expected, country, areaCode, exchange, stray });
}

/** Thrown if a body is not a valid document of the API. The message says why, and at which byte. */
export class InvalidDocument extends CallerIdError {
  /**
   * @param {string} message
   * @param {number} at
   */
  constructor(message, at) {
    super(message);
    /**
     * The position of the error: a byte offset in the body.
     *
     * @readonly
     */
    this.at = at;
  }

  /** @returns {"InvalidDocument"} */
  get name() {
    return "InvalidDocument";
  }

  /** @internal */
  get [BRAND]() {
    return "InvalidDocument";
  }
}

/**
 * An error that the service returned, with the service's own message.
 *
 * | code | when | status |
 * |---|---|---|
 * | 20002 | the name has over 64 characters, or is missing in an update | 400 |
 * | 20003 | the credentials are missing or wrong | 401 |
 * | 20004 | the resource does not support the method | 405 |
 * | 20006 | the list has no such page | 400 |
 * | 20007 | the page size is not a number from 1 to 1000 | 400 |
 * | 20404, in 2008-08-01 `null` | the resource does not exist | 404 |
 * | 20429 | a limit is exceeded: too many wrong codes for the number, or too many live calls | 429 |
 * | 20500 | internal error of the service | 500 |
 * | 20503 | the service is unavailable: try again later | 503 |
 * | 21215 | the number's region may not be called, on a real phone line | 400 |
 * | 21216 | the number may not be called, or not at this hour, on a real phone line | 400 |
 * | 21401 | the number is missing or invalid | 400 |
 * | 21450 | the number is already a caller ID of the account | 400 |
 * | 21454 | the delay is not a whole number of seconds from 0 to 60 | 400 |
 * | 21456 | the status callback is not a valid URL | 400 |
 * | 21481 | the page's address does not come from the service | 400 |
 */
export class RestException extends CallerIdError {
  /**
   * @param {number} status
   * @param {string} message
   * @param {number | null} [code]
   * @param {string | null} [moreInfo]
   */
  constructor(status, message, code = null, moreInfo = null) {
    super(message);
    /**
     * The HTTP status.
     *
     * @readonly
     */
    this.status = status;
    /**
     * Twilio's error code; `null` if the response has none, for example a 404.
     *
     * @readonly
     */
    this.code = code;
    /**
     * The URL of Twilio's page about the code.
     *
     * @readonly
     */
    this.moreInfo = moreInfo;
  }

  /** @returns {"RestException"} */
  get name() {
    return "RestException";
  }

  /** @internal */
  get [BRAND]() {
    return "RestException";
  }
}

/**
 * Thrown if a response is not one of the API, but of a proxy or another service, for example, or answers a different
 * request. If the body is invalid, `cause` says why.
 */
export class UnexpectedResponse extends CallerIdError {
  /**
   * @param {number} status
   * @param {string} message
   * @param {{ cause?: unknown }} [options]
   */
  constructor(status, message, options) {
    super(message, options);
    /**
     * The HTTP status.
     *
     * @readonly
     */
    this.status = status;
    /** @readonly */
    this.code = null;
    /** @readonly */
    this.moreInfo = null;
  }

  /** @returns {"UnexpectedResponse"} */
  get name() {
    return "UnexpectedResponse";
  }

  /** @internal */
  get [BRAND]() {
    return "UnexpectedResponse";
  }
}

/** What people call the ends of a call without the right code. */
const FAILURES = {
  completed: "The call ended without the right code.",
  busy: "The call was declined.",
  "no-answer": "Nobody answered the call.",
  failed: "The call could not be placed.",
  canceled: "A new request for the same number replaced this one.",
};

/** Thrown if a validation ended without a caller ID. The message is for end users. */
export class ValidationFailed extends CallerIdError {
  /** @param {Call} call */
  constructor(call) {
    const reason = /** @type {keyof typeof FAILURES} */ (call.status);
    super(FAILURES[reason]);
    /**
     * How the call ended: `completed` if it was answered.
     *
     * @readonly
     */
    this.reason = reason;
    /** @readonly */
    this.call = call;
  }

  /** @returns {"ValidationFailed"} */
  get name() {
    return "ValidationFailed";
  }

  /** @internal */
  get [BRAND]() {
    return "ValidationFailed";
  }
}

/**
 * Whether a value is a {@link RestException}, of any copy of the package.
 *
 * @param {unknown} value
 * @returns {value is RestException}
 */
export function isRestException(value) {
  return value instanceof RestException;
}
