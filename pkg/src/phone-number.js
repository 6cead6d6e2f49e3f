import { InvalidPhoneNumber } from "./errors.js";
import { core, encoder } from "./wasm.js";

// Made only here: `new PhoneNumber(…)` elsewhere throws.
const MAKE = Symbol();

const decoder = new TextDecoder();

export class PhoneNumber {
  #digits;

  constructor(make, digits) {
    if (make !== MAKE) throw new TypeError("a PhoneNumber is made by PhoneNumber.parse");
    this.#digits = digits;
  }

  static parse(text) {
    return new PhoneNumber(MAKE, core().parsePhoneNumber(string(text)));
  }

  static restore(text) {
    return new PhoneNumber(MAKE, core().restorePhoneNumber(string(text)));
  }

  static parseWithExtension(text) {
    const [digits, extension = null] = core().parsePhoneNumberWithExtension(string(text));
    return { phoneNumber: new PhoneNumber(MAKE, digits), extension };
  }

  static check(text) {
    try {
      return { ok: true, phoneNumber: PhoneNumber.parse(text) };
    } catch (error) {
      if (!(error instanceof InvalidPhoneNumber)) throw error;
      const { reason, message, at } = error;
      return { ok: false, reason, message, at };
    }
  }

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

  static get metadataRelease() {
    return core().metadataRelease();
  }

  get kind() {
    return core().phoneNumberKind(this.#digits);
  }

  get national() {
    return core().nationalPhoneNumber(this.#digits);
  }

  get e164() {
    return core().e164PhoneNumber(this.#digits);
  }

  toString() {
    return this.#digits;
  }

  toJSON() {
    return this.#digits;
  }
}

function string(text) {
  if (typeof text !== "string") throw new TypeError(`a phone number is read from a string, not from ${text === null ? "null" : typeof text}`);
  return text;
}
