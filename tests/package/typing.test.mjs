// Checking and formatting while somebody types.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidPhoneNumber, PhoneNumber } from "callerid";
import libphonenumber from "google-libphonenumber";

const { AsYouTypeFormatter } = libphonenumber;

test("an incomplete number may become valid, an invalid one does not", () => {
  const incomplete = (text) => PhoneNumber.check(text).incomplete;
  for (const text of ["", "4", "(", "+", "+1", "1", "0", "415-867-530", "1-800-FLOW", "tel:", "(242) 3"]) assert.equal(incomplete(text), true, text);
  for (const text of ["911", "415-1", "+44", "011 44", "415-867-53091", "415-867-5309 x1", "(242) 1", "415-867-5309 é", "x".repeat(251)]) assert.equal(incomplete(text), false, text);
  assert.equal(incomplete("415-867-5309"), undefined);
  // The same reason, and not the same thing.
  assert.deepEqual(["4", "911"].map((text) => PhoneNumber.check(text).reason), ["too-short", "too-short"]);
});

test("a check has the values of its reason, and a message for people", () => {
  const message = "That number has 9 digits. US numbers have 10.";
  assert.deepEqual(PhoneNumber.check("415-867-530"), { ok: false, reason: "too-short", incomplete: true, message, at: 11, digits: 9, expected: 10 });
  const values = {
    "415-867-53091": { reason: "too-long", at: 12, digits: 11, expected: 10 },
    "+44 20 7946 0000": { reason: "another-country", at: 1, country: 44 },
    "911-555-0123": { reason: "area-code", at: 0, areaCode: 911 },
    "221-555-0123": { reason: "unassigned-area-code", at: 0, areaCode: 221 },
    "242-211-5309": { reason: "exchange", at: 4, areaCode: 242, exchange: 211 },
    // UTF-16: the emoji has two units.
    "😀 415-867-5309 é": { reason: "stray-text", at: 16, stray: "é" },
    "415-867-5309 or 415-867-5310": { reason: "two-numbers", at: 16 },
    "415-867-5309 x12": { reason: "extension", at: 12 },
  };
  for (const [text, expected] of Object.entries(values)) {
    const { ok, incomplete, message, ...rest } = PhoneNumber.check(text);
    assert.deepEqual({ ok, incomplete, ...rest }, { ok: false, incomplete: false, ...expected }, text);
    assert.match(message, /^[A-Z0-9“].*\.$/);
    assert.doesNotMatch(message, /offset/);
    assert.throws(() => PhoneNumber.parse(text), (error) => error instanceof InvalidPhoneNumber && error.message === message && error.stray === rest.stray && error.country === rest.country);
  }
});

/** What libphonenumber shows after each key. */
function shownByLibphonenumber(text) {
  const formatter = new AsYouTypeFormatter("US");
  return [...text].map((key) => formatter.inputDigit(key));
}

/** What a field shows that is formatted after each key, typed at its end. */
function shown(text) {
  let field = { text: "", caret: 0 };
  return [...text].map((key) => {
    const { text, caret } = field;
    field = PhoneNumber.format(text.slice(0, caret) + key + text.slice(caret), caret + key.length);
    return field.text;
  });
}

/** US numbers of every area code, with each prefix, and longer ones. */
function* numbers() {
  for (let areaCode = 200; areaCode < 1000; areaCode++) {
    for (const number of [`${areaCode}5550123`, `${areaCode}2008675309`]) for (const prefix of ["", "1", "+1", "0111"]) yield prefix + number;
  }
  // Mistakes.
  for (let first = 0; first < 1000; first += 7) for (const prefix of ["", "1", "11", "111", "+1", "+11", "+10", "0111", "01111"]) yield `${prefix}${String(first).padStart(3, "0")}8675309`;
  for (const local of ["8675309", "3101234", "911", "411", "0", "00", "000000", "1111111111111"]) yield local;
}

test("format agrees with libphonenumber's AsYouTypeFormatter for US numbers, at every key", () => {
  let keys = 0;
  for (const number of numbers()) {
    assert.deepEqual(shown(number), shownByLibphonenumber(number), number);
    keys += number.length;
  }
  assert.ok(keys > 80_000, String(keys));
});

test("format keeps the caret after its digit, wherever somebody types or deletes", () => {
  const number = "4158675309";
  for (let digits = 0; digits <= number.length; digits++) {
    const { text } = PhoneNumber.format(number.slice(0, digits));
    for (let caret = 0; caret <= text.length; caret++) {
      const before = text.slice(0, caret).replace(/\D/g, "").length;
      const same = PhoneNumber.format(text, caret);
      assert.equal(same.text, text);
      assert.equal(same.text.slice(0, same.caret).replace(/\D/g, "").length, before);
      const typed = PhoneNumber.format(`${text.slice(0, caret)}7${text.slice(caret)}`, caret + 1);
      assert.equal(typed.text[typed.caret - 1], "7");
      assert.equal(typed.text.slice(0, typed.caret).replace(/\D/g, "").length, before + 1);
    }
  }
  assert.deepEqual(PhoneNumber.format("４１５８"), { text: "415-8", caret: 5 });
  // Unchanged, with an index in UTF-16.
  assert.deepEqual(PhoneNumber.format("😀 415", 3), { text: "😀 415", caret: 3 });
  assert.deepEqual(PhoneNumber.format("😀", 2), { text: "😀", caret: 2 });
  assert.throws(() => PhoneNumber.format(4158), TypeError);
});
