// The errors, which the core throws too.

/** @import { InvalidPhoneNumberReason } from "./phone-types.js" */

/** A text is no phone number. The message says what is wrong, where, and what would be right. */
export class InvalidPhoneNumber extends Error {
  /**
   * @param {InvalidPhoneNumberReason} reason
   * @param {string} message
   * @param {number} at
   */
  constructor(reason, message, at) {
    super(message);
    /** @readonly */
    this.reason = reason;
    /**
     * Where it is: an index into the string.
     *
     * @readonly
     */
    this.at = at;
  }

  /** @returns {"InvalidPhoneNumber"} */
  get name() {
    return "InvalidPhoneNumber";
  }
}

/** A body that is not a document of the API. The message says why, and at which byte. */
export class InvalidDocument extends Error {
  /**
   * @param {string} message
   * @param {number} at
   */
  constructor(message, at) {
    super(message);
    /**
     * Offset of what is wrong, in bytes of the body.
     *
     * @readonly
     */
    this.at = at;
  }

  /** @returns {"InvalidDocument"} */
  get name() {
    return "InvalidDocument";
  }
}

/**
 * The service refused a request, in its own words.
 *
 * | code | when | status |
 * |---|---|---|
 * | 20002 | a name over 64 characters, or missing from an update | 400 |
 * | 20003 | credentials missing or wrong | 401 |
 * | 20004 | the resource does not do that | 405 |
 * | 20006 | the list has no such page | 400 |
 * | 20007 | a page size that is no number from 1 to 1000 | 400 |
 * | 20404, in 2008-08-01 `null` | no such resource | 404 |
 * | 20429 | a limit: the number has had too many wrong codes, or too many calls are under way | 429 |
 * | 20500 | something is wrong with the service itself | 500 |
 * | 20503 | the service cannot do anything for now: try again later | 503 |
 * | 21401 | a number that is missing or no valid ten digit number | 400 |
 * | 21450 | the number is already one of the account's caller IDs | 400 |
 * | 21454 | a delay that is no whole number of seconds from 0 to 60 | 400 |
 * | 21456 | a status callback that is no URL to call | 400 |
 * | 21481 | a page's address that the service did not give | 400 |
 */
export class RestException extends Error {
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
     * Twilio's number for the error; `null` if it sends none, as with a 404.
     *
     * @readonly
     */
    this.code = code;
    /**
     * Where Twilio explains the code.
     *
     * @readonly
     */
    this.moreInfo = moreInfo;
  }

  /** @returns {"RestException"} */
  get name() {
    return "RestException";
  }
}

/**
 * A response came that is not the API's: a proxy's page, another service, an answer to another question. The
 * `cause` says why if the body is at fault.
 */
export class UnexpectedResponse extends Error {
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
}
