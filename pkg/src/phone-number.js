import { BRAND, hasInstance } from "./brand.js";
import { InvalidPhoneNumber } from "./errors.js";
import { encoder, phone } from "./wasm.js";

/** @import { FormattedPhoneNumber, PhoneNumberCheck, PhoneNumberKind } from "./phone-types.js" */

// Private to this module, so that `new PhoneNumber(…)` throws elsewhere.
const MAKE = Symbol();

const decoder = new TextDecoder();

/**
 * A North American phone number of ten digits, which was valid when it was parsed. It is immutable and needs no freeing. In template
 * literals, in JSON and when sorted, it is its ten digits. Tests' equality compares its digits. What JSON or `structuredClone` makes of
 * it is read back with {@link from}.
 */
export class PhoneNumber {
  /**
   * @private
   * @param {symbol} make
   * @param {string} digits
   */
  constructor(make, digits) {
    if (make !== MAKE) throw new TypeError("a PhoneNumber is made by PhoneNumber.parse");
    /**
     * The ten digits: `4158675309`.
     *
     * @readonly
     */
    this.digits = digits;
    Object.freeze(this);
  }

  /**
   * @internal
   * @param {unknown} value
   */
  static [Symbol.hasInstance](value) {
    return hasInstance(this, value);
  }

  /** @internal */
  get [BRAND]() {
    return "PhoneNumber";
  }

  /**
   * Parses a number in any common format: `(415) 555.1212`, `1-415-555-1212`, `+1 415 555 1212`,
   * `tel:+1-415-555-1212`, `1-800-FLOWERS`, full-width and other Unicode digits.
   *
   * @param {string} text
   * @throws {InvalidPhoneNumber} if the number is invalid, or has an extension.
   */
  static parse(text) {
    return new PhoneNumber(MAKE, phone().parsePhoneNumber(string(text)));
  }

  /**
   * Parses a stored or received number. Checks only its shape (ten digits, the first not 0 or 1, optionally after `+1`),
   * not the numbering plan: the plan changes, and a number that was withdrawn since must not break the code that shows it.
   * All other strings are parsed as by {@link parse}, which is for user input.
   *
   * @param {string} text
   * @throws {InvalidPhoneNumber} as {@link parse} does.
   */
  static parsePossible(text) {
    return new PhoneNumber(MAKE, phone().parsePossiblePhoneNumber(string(text)));
  }

  /**
   * Reads a number back from its JSON, from what `structuredClone` or `postMessage` made of it, or from a number. Strings are parsed
   * as by {@link parsePossible}.
   *
   * @param {string | { readonly digits: string }} value
   * @throws {InvalidPhoneNumber} as {@link parse} does.
   */
  static from(value) {
    return PhoneNumber.parsePossible(typeof value === "string" ? value : value?.digits);
  }

  /**
   * Like {@link parse}, but also accepts an extension: `415-867-5309 x123`.
   *
   * @param {string} text
   * @returns {{ phoneNumber: PhoneNumber, extension: string | null }}
   * @throws {InvalidPhoneNumber} if the number is invalid.
   */
  static parseWithExtension(text) {
    const [digits = "", extension = null] = phone().parsePhoneNumberWithExtension(string(text));
    return { phoneNumber: new PhoneNumber(MAKE, digits), extension };
  }

  /**
   * Like {@link parse}, but returns the error instead of throwing it: for validation while the user types.
   *
   * @param {string} text
   * @returns {PhoneNumberCheck}
   */
  static check(text) {
    try {
      return { ok: true, phoneNumber: PhoneNumber.parse(text) };
    } catch (error) {
      if (!(error instanceof InvalidPhoneNumber)) throw error;
      return { ...error, ok: false, incomplete: phone().isIncompletePhoneNumber(text), message: error.message };
    }
  }

  /**
   * Formats what has been typed of a number, as phones in the United States do: `41586` becomes `415-86`, and `4158675309`
   * `(415) 867-5309`. A text with more than digits and their separators is returned unchanged, as is a number of another country.
   *
   * @param {string} text
   * @param {number} [caret] The caret's index in the text; its end by default.
   * @returns {FormattedPhoneNumber}
   */
  static format(text, caret = text.length) {
    const [formatted, index] = phone().formatPhoneNumber(string(text), caret);
    return { text: formatted, caret: index };
  }

  /**
   * Parses many numbers in one call to the core. For strings, returns the ten digits of each, or `null` if it is
   * invalid. For UTF-8 text with one number per line (ended by `\n` or `\r\n`), returns as many lines, each with the ten
   * digits, or empty if the number is invalid.
   *
   * @overload
   * @param {readonly string[]} texts
   * @returns {(string | null)[]}
   *
   * @overload
   * @param {Uint8Array} lines
   * @returns {Uint8Array}
   *
   * @param {Uint8Array | readonly string[]} input
   */
  static normalizeAll(input) {
    if (input instanceof Uint8Array) return phone().normalizeLines(input);
    const lines = `${input.join("\n")}\n`;
    const numbers = decoder.decode(phone().normalizeLines(encoder.encode(lines))).split("\n");
    // The last line has a line ending too, so the last element is empty.
    numbers.length -= 1;
    if (numbers.length === input.length && !lines.includes("\r")) return numbers.map((number) => number || null);
    // The input is empty, or a string contains a line ending.
    return Array.from(input, (text) => {
      const checked = PhoneNumber.check(text);
      return checked.ok ? checked.phoneNumber.toString() : null;
    });
  }

  /** The release of libphonenumber whose metadata determines which numbers are valid, and their kinds. */
  static get metadataRelease() {
    return phone().metadataRelease();
  }

  /**
   * The kind of number.
   *
   * @returns {PhoneNumberKind}
   */
  get kind() {
    return phone().phoneNumberKind(this.digits);
  }

  /** The national format: `(415) 867-5309`. */
  get national() {
    return phone().nationalPhoneNumber(this.digits);
  }

  /** The international format (ITU-T E.164): `+14158675309`. */
  get e164() {
    return phone().e164PhoneNumber(this.digits);
  }

  /** The ten digits: `4158675309`. */
  toString() {
    return this.digits;
  }

  /** The ten digits: `4158675309`. */
  toJSON() {
    return this.digits;
  }

  /**
   * What Node shows in `console.log` and in failed assertions.
   *
   * @internal
   */
  [Symbol.for("nodejs.util.inspect.custom")]() {
    return `PhoneNumber(${this.digits})`;
  }
}

/** @param {unknown} text */
function string(text) {
  if (typeof text !== "string") throw new TypeError(`a phone number is read from a string, not from ${text === null ? "null" : typeof text}`);
  return text;
}
