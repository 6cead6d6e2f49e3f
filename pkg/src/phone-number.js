import { InvalidPhoneNumber } from "./errors.js";
import { core, encoder } from "./wasm.js";

/** @import { PhoneNumberCheck, PhoneNumberKind } from "./phone-types.js" */

// Made only here: `new PhoneNumber(…)` elsewhere throws.
const MAKE = Symbol();

const decoder = new TextDecoder();

/**
 * A North American number, valid when it was read: ten digits. It is immutable, holds nothing that needs freeing, and shows itself as
 * its ten digits in a template, in JSON and when sorted.
 */
export class PhoneNumber {
  #digits;

  /**
   * @private
   * @param {symbol} make
   * @param {string} digits
   */
  constructor(make, digits) {
    if (make !== MAKE) throw new TypeError("a PhoneNumber is made by PhoneNumber.parse");
    this.#digits = digits;
  }

  /**
   * Reads a number in any format people write: `(415) 555.1212`, `1-415-555-1212`, `+1 415 555 1212`,
   * `tel:+1-415-555-1212`, `1-800-FLOWERS`, full-width and other Unicode digits.
   *
   * @param {string} text
   * @throws {InvalidPhoneNumber} if it is invalid, or has an extension.
   */
  static parse(text) {
    return new PhoneNumber(MAKE, core().parsePhoneNumber(string(text)));
  }

  /**
   * Takes a number back that was read before, from a list or from storage: by its shape (ten digits, the first not 0 or 1,
   * perhaps after `+1`), whatever the numbering plan says of it by now. The plan changes, and a number that it has
   * withdrawn must not break what shows it. Any other text is read as by {@link parse}, which is for what people write.
   *
   * @param {string} text
   * @throws {InvalidPhoneNumber} as {@link parse} does.
   */
  static parsePossible(text) {
    return new PhoneNumber(MAKE, core().parsePossiblePhoneNumber(string(text)));
  }

  /**
   * As {@link parse}, and splits off an extension: `415-867-5309 x123`.
   *
   * @param {string} text
   * @returns {{ phoneNumber: PhoneNumber, extension: string | null }}
   * @throws {InvalidPhoneNumber} if it is invalid.
   */
  static parseWithExtension(text) {
    const [digits = "", extension = null] = core().parsePhoneNumberWithExtension(string(text));
    return { phoneNumber: new PhoneNumber(MAKE, digits), extension };
  }

  /**
   * As {@link parse}, without an exception: for what is being typed.
   *
   * @param {string} text
   * @returns {PhoneNumberCheck}
   */
  static check(text) {
    try {
      return { ok: true, phoneNumber: PhoneNumber.parse(text) };
    } catch (error) {
      if (!(error instanceof InvalidPhoneNumber)) throw error;
      const { reason, message, at } = error;
      return { ok: false, reason, message, at };
    }
  }

  /**
   * Reads many numbers in one crossing. Of texts: of each the ten digits, or `null` if it is invalid. Of UTF-8 text
   * with a number a line (ended by `\n` or `\r\n`): as many lines, the ten digits, or an empty line if it is invalid.
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
    if (input instanceof Uint8Array) return core().normalizeLines(input);
    const lines = `${input.join("\n")}\n`;
    const numbers = decoder.decode(core().normalizeLines(encoder.encode(lines))).split("\n");
    // The last line is ended too, so nothing follows it.
    numbers.length -= 1;
    if (numbers.length === input.length && !lines.includes("\r")) return numbers.map((number) => number || null);
    // There are none, or one has an end of line in it.
    return Array.from(input, (text) => {
      const checked = PhoneNumber.check(text);
      return checked.ok ? checked.phoneNumber.toString() : null;
    });
  }

  /** The release of libphonenumber whose metadata says which numbers are valid, and of what kind. */
  static get metadataRelease() {
    return core().metadataRelease();
  }

  /**
   * What the number is for.
   *
   * @returns {PhoneNumberKind}
   */
  get kind() {
    return core().phoneNumberKind(this.#digits);
  }

  /** As it is written at home: `(415) 867-5309`. */
  get national() {
    return core().nationalPhoneNumber(this.#digits);
  }

  /** As it is written everywhere (ITU-T E.164): `+14158675309`. */
  get e164() {
    return core().e164PhoneNumber(this.#digits);
  }

  /** The ten digits: `4158675309`. */
  toString() {
    return this.#digits;
  }

  /** The ten digits: `4158675309`. */
  toJSON() {
    return this.#digits;
  }
}

/** @param {unknown} text */
function string(text) {
  if (typeof text !== "string") throw new TypeError(`a phone number is read from a string, not from ${text === null ? "null" : typeof text}`);
  return text;
}
