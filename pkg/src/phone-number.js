import { core, encoder, memory } from "./wasm.js";

// Made only here: `new PhoneNumber(…)` elsewhere throws.
const MAKE = Symbol();
const LINE_FEED = 10;

const decoder = new TextDecoder();

// Texts go to the core, and answers come from it, through a buffer of its memory: a crossing is all that a number costs then.
let buffer = new Uint8Array(0);
let parsePhoneNumber;

/** Puts a text into the buffer, or as much of it as fits; how many bytes that is. */
function give(text) {
  // Empty too where the memory has grown, which detaches it.
  if (buffer.length === 0) mapBuffer();
  const { length } = text;
  if (length > buffer.length) return encoder.encodeInto(text, buffer).written;
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) return encoder.encodeInto(text, buffer).written;
    buffer[at] = unit;
  }
  return length;
}

function mapBuffer() {
  const { bufferAddress, bufferLength, parsePhoneNumber: parse } = core();
  parsePhoneNumber = parse;
  buffer = memory().subarray(bufferAddress(), bufferAddress() + bufferLength());
}

/** The ten digits of a text in packed BCD, NaN where it is none. */
function read(text) {
  const length = give(text);
  return parsePhoneNumber(length);
}

/** The ten digits of a number in packed BCD: far sooner than engines write a number that is too large for their integers. */
function digits(bcd) {
  const first = (bcd / 0x100000) | 0;
  const last = bcd - first * 0x100000;
  return String.fromCharCode(
    48 | (first >> 16),
    48 | ((first >> 12) & 15),
    48 | ((first >> 8) & 15),
    48 | ((first >> 4) & 15),
    48 | (first & 15),
    48 | (last >> 16),
    48 | ((last >> 12) & 15),
    48 | ((last >> 8) & 15),
    48 | ((last >> 4) & 15),
    48 | (last & 15),
  );
}

/** The lines that the core writes to the buffer in a call with so many bytes of it. */
function answer(call, length, ...rest) {
  return decoder.decode(buffer.subarray(0, core()[call](length, ...rest))).split("\n");
}

/** What the core says of a text: its digits and its extension, or an empty text, the reason, the message and the place. */
function check(text, reading) {
  const length = give(text);
  return answer("checkPhoneNumber", length, core().Reading[reading]);
}

/** What the core says of a number: the metadata's release, its kind, and how it is written at home and everywhere. */
function describe(digits) {
  const length = give(digits);
  return answer("describePhoneNumber", length);
}

/** What is wrong with a text that is no number. */
function problem([, reason, message, at]) {
  return { reason, message, at: Number(at) };
}

function string(text) {
  if (typeof text !== "string") throw new TypeError(`a phone number is read from a string, not from ${text === null ? "null" : typeof text}`);
  return text;
}

/** As many lines as `input` has, each a number's ten digits or nothing: as much at a time as the buffer takes. */
function normalizeLines(input) {
  if (buffer.length === 0) mapBuffer();
  // A line's answer is no longer than the line, but for an end that the last one may lack.
  const output = new Uint8Array(input.length + 1);
  const most = buffer.length - 1;
  let written = 0;
  for (let at = 0; at < input.length; ) {
    let end = at + most;
    if (end >= input.length) end = input.length;
    else end = input.lastIndexOf(LINE_FEED, end - 1) + 1;
    if (end <= at) {
      // The line is far too long to be a number.
      output[written++] = LINE_FEED;
      at = input.indexOf(LINE_FEED, at + most) + 1 || input.length;
      continue;
    }
    buffer.set(input.subarray(at, end));
    const length = core().normalizeLines(end - at);
    output.set(buffer.subarray(0, length), written);
    written += length;
    at = end;
  }
  return output.slice(0, written);
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
    throw new InvalidPhoneNumber(problem(check(text, "Number")));
  }

  static restore(text) {
    const lines = check(string(text), "Restored");
    if (lines[0] === "") throw new InvalidPhoneNumber(problem(lines));
    return new PhoneNumber(MAKE, Number(`0x${lines[0]}`));
  }

  static parseWithExtension(text) {
    const lines = check(string(text), "WithExtension");
    if (lines[0] === "") throw new InvalidPhoneNumber(problem(lines));
    return { phoneNumber: new PhoneNumber(MAKE, Number(`0x${lines[0]}`)), extension: lines[1] || null };
  }

  static check(text) {
    const value = read(string(text));
    if (value === value) return { ok: true, phoneNumber: new PhoneNumber(MAKE, value) };
    return { ok: false, ...problem(check(text, "Number")) };
  }

  static normalizeAll(input) {
    if (input instanceof Uint8Array) return normalizeLines(input);
    const lines = `${input.join("\n")}\n`;
    const numbers = decoder.decode(normalizeLines(encoder.encode(lines))).split("\n");
    // The last line is ended too, so nothing follows it.
    numbers.length -= 1;
    if (numbers.length === input.length && !lines.includes("\r")) return numbers.map((number) => number || null);
    // There are none, or one has an end of line in it.
    return Array.from(input, (text) => {
      const value = read(string(text));
      return value === value ? digits(value) : null;
    });
  }

  static get metadataRelease() {
    return describe("")[0];
  }

  get kind() {
    return describe(this.toString())[1];
  }

  get national() {
    return describe(this.toString())[2];
  }

  get e164() {
    return describe(this.toString())[3];
  }

  toString() {
    return digits(this.#value);
  }

  toJSON() {
    return digits(this.#value);
  }
}

export class InvalidPhoneNumber extends Error {
  constructor({ reason, message, at }) {
    super(message);
    this.reason = reason;
    this.at = at;
  }

  get name() {
    return "InvalidPhoneNumber";
  }
}
