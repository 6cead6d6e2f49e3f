import { core, memory } from "./wasm.js";

// Made only here: `new PhoneNumber(…)` elsewhere throws.
const MAKE = Symbol();

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// A number's text goes to the core through a buffer of its memory: a crossing is all that a number costs then.
let buffer = new Uint8Array(0);
let parseBuffered;

/** The ten digits of a text as one number, NaN where it is none. */
function read(text) {
  // Empty too where the memory has grown, which detaches it.
  if (buffer.length === 0) mapBuffer();
  let length = text.length;
  if (length > buffer.length) return readLong(text);
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) {
      const written = encoder.encodeInto(text, buffer);
      if (written.read < length) return readLong(text);
      length = written.written;
      break;
    }
    buffer[at] = unit;
  }
  return parseBuffered(length);
}

function mapBuffer() {
  ({ parseBuffered } = core());
  buffer = memory().subarray(core().bufferAddress(), core().bufferAddress() + core().bufferLength());
}

function readLong(text) {
  const [digits] = core().checkPhoneNumber(text, false);
  return digits === undefined ? Number.NaN : Number(digits);
}

function string(text) {
  if (typeof text !== "string") throw new TypeError(`a phone number is read from a string, not from ${text === null ? "null" : typeof text}`);
  return text;
}

export class PhoneNumber {
  #value;

  constructor(make, value) {
    if (make !== MAKE) throw new TypeError("a PhoneNumber is made by PhoneNumber.parse");
    this.#value = value;
  }

  static parse(text) {
    const value = read(string(text));
    if (value === value) return new PhoneNumber(MAKE, value);
    const [, reason, message, at] = core().checkPhoneNumber(text, false);
    throw new InvalidPhoneNumber(reason, message, at);
  }

  static restore(text) {
    const [digits, reason, message, at] = core().restorePhoneNumber(string(text));
    if (digits === undefined) throw new InvalidPhoneNumber(reason, message, at);
    return new PhoneNumber(MAKE, Number(digits));
  }

  static parseWithExtension(text) {
    const [digits, second, message, at] = core().checkPhoneNumber(string(text), true);
    if (digits === undefined) throw new InvalidPhoneNumber(second, message, at);
    return { phoneNumber: new PhoneNumber(MAKE, Number(digits)), extension: second ?? null };
  }

  static check(text) {
    const value = read(string(text));
    if (value === value) return { ok: true, phoneNumber: new PhoneNumber(MAKE, value) };
    const [, reason, message, at] = core().checkPhoneNumber(text, false);
    return { ok: false, reason, message, at };
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
      const value = read(string(text));
      return value === value ? String(value) : null;
    });
  }

  static get metadataRelease() {
    return core().metadataRelease();
  }

  get kind() {
    return core().phoneNumberKind(this.toString());
  }

  get national() {
    return core().phoneNumberNational(this.toString());
  }

  get e164() {
    return core().phoneNumberE164(this.toString());
  }

  toString() {
    return String(this.#value);
  }

  toJSON() {
    return String(this.#value);
  }
}

export class InvalidPhoneNumber extends Error {
  constructor(reason, message, at) {
    super(message);
    this.reason = reason;
    this.at = at;
  }

  get name() {
    return "InvalidPhoneNumber";
  }
}
