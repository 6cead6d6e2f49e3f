// Values are what they say: to assertions, in logs, and after `structuredClone` and JSON.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { CallControl, CallerIdClient, InvalidDocument, InvalidPhoneNumber, PhoneNumber, RestException, UnexpectedResponse, ValidationFailed, isRestException, parseResponse, revive } from "callerid";
import { MockApi } from "callerid/mock";

const [number, other] = [PhoneNumber.parse("415-867-5309"), PhoneNumber.parse("212-555-0123")];
const SEED = [{ phoneNumber: "415-867-5309", friendlyName: "Bob" }, { phoneNumber: "212-555-0123" }];

const connect = (mock) => new CallerIdClient({ accountSid: mock.accountSid, authToken: mock.authToken, baseUrl: "http://callerid.test", fetch: mock.fetch });
const thrown = (action) => {
  try {
    action();
  } catch (error) {
    return error;
  }
};
/** Pairs of different values of each type. */
async function pairs() {
  const mock = new MockApi({ seed: SEED, now: new Date("2008-04-01T18:26:32Z") });
  const client = connect(mock);
  const changes = [];
  mock.addEventListener("change", ({ change }) => changes.push(change));
  const requests = [await client.create({ phoneNumber: "415-867-5301" }), await client.create({ phoneNumber: "415-867-5302" })];
  const calls = [await mock.phone("415-867-5301").rings(), await mock.phone("415-867-5302").rings()];
  const { items } = await client.list();
  const pages = [await client.list({ pageSize: 1 }), await client.list({ pageSize: 1, page: 1 })];
  const exceptions = [await client.fetch("PNe536dfda7c6184afab78d980cb8cdf43").catch((error) => error), await client.create({ phoneNumber: "415-867-5309" }).catch((error) => error)];
  const control = new CallControl({ accountSid: mock.accountSid, authToken: mock.authToken, baseUrl: "http://callerid.test", fetch: mock.fetch });
  const ended = [await control.busy(calls[0].callSid), await control.noAnswer(calls[1].callSid)];
  mock.free();
  const invalid = ["415-555-121", "415-555-12"];
  return {
    PhoneNumber: [number, other],
    check: [PhoneNumber.check("415-867-5309"), PhoneNumber.check("212-555-0123")],
    "invalid check": invalid.map((text) => PhoneNumber.check(text)),
    parseWithExtension: [PhoneNumber.parseWithExtension("415-867-5309 x1"), PhoneNumber.parseWithExtension("212-555-0123 x1")],
    InvalidPhoneNumber: invalid.map((text) => thrown(() => PhoneNumber.parse(text))),
    RestException: exceptions,
    InvalidDocument: [thrown(() => parseResponse("<x/>")), thrown(() => parseResponse("<x"))],
    UnexpectedResponse: [new UnexpectedResponse(502, "no"), new UnexpectedResponse(503, "no")],
    ValidationFailed: ended.map((call) => new ValidationFailed(call)),
    ValidationRequest: requests,
    OutgoingCallerId: items.slice(0, 2),
    CallerIdPage: pages,
    MockCall: calls,
    Change: changes.slice(0, 2),
    Call: ended,
  };
}

test("assertions tell two values apart", async () => {
  for (const [name, [one, another]] of Object.entries(await pairs())) {
    assert.notDeepStrictEqual(one, another, name);
    assert.notDeepEqual({ in: [one] }, { in: [another] }, name);
    assert.deepStrictEqual(one, one, name);
  }
  assert.deepStrictEqual(PhoneNumber.parse("(415) 867.5309"), number);
  assert.throws(() => assert.deepStrictEqual(number, other), /4158675309[^]*2125550123/);
});

test("a number's digits are its only property, and cannot be changed", () => {
  assert.deepEqual(Object.entries(number), [["digits", "4158675309"]]);
  assert.throws(() => (number.digits = "2125550123"), TypeError);
  assert.equal(number.digits, "4158675309");
});

test("logs show a number", () => {
  assert.equal(inspect(number), "PhoneNumber(4158675309)");
  assert.equal(inspect({ to: [number] }), "{ to: [ PhoneNumber(4158675309) ] }");
  const exception = new RestException(400, "no", 21450);
  assert.match(inspect(exception), /^RestException: no\n[^]*code: 21450/);
  const invalid = inspect(thrown(() => PhoneNumber.parse("415-555-121")));
  assert.match(invalid, /^InvalidPhoneNumber: That number has 9 digits[^]*at: 11,\s+digits: 9,\s+expected: 10\s+}$/);
});

test("a clone of a number, and its JSON, can be read back", () => {
  assert.deepStrictEqual(PhoneNumber.from(structuredClone(number)), number);
  assert.deepStrictEqual(PhoneNumber.from(JSON.parse(JSON.stringify(number))), number);
  assert.deepStrictEqual(PhoneNumber.from(number), number);
  assert.deepStrictEqual(PhoneNumber.from(structuredClone(PhoneNumber.check("415-867-5309")).phoneNumber), number);
  // Withdrawn since.
  assert.equal(PhoneNumber.from("2215550123").kind, "unassigned");
  for (const wrong of ["555", { digits: "555" }]) assert.throws(() => PhoneNumber.from(wrong), InvalidPhoneNumber);
  for (const wrong of [null, undefined, {}, 4158675309]) assert.throws(() => PhoneNumber.from(wrong), TypeError);
});

test("all other values are cloned as they are, and JSON is read back with revive", async () => {
  const { PhoneNumber: _, check, parseWithExtension, ...rest } = await pairs();
  for (const [name, [value]] of Object.entries(rest)) {
    const read = JSON.parse(JSON.stringify({ list: [value] }), revive).list[0];
    if (value instanceof Error) {
      assert.equal(Object.getPrototypeOf(read), Object.getPrototypeOf(value), name);
      assert.deepEqual({ ...read, message: read.message }, { ...value, message: value.message }, name);
      assert.ok(read instanceof value.constructor, name);
    } else {
      assert.deepEqual(read, { ...value }, name);
      assert.deepEqual(structuredClone(value), { ...value }, name);
    }
  }
});

test("instanceof and isRestException know the values of another copy of the package", async () => {
  const classes = { PhoneNumber, InvalidPhoneNumber, InvalidDocument, RestException, UnexpectedResponse };
  const foreign = {
    RestException: Object.create(null, { [Symbol.for("callerid.brand")]: { value: "RestException" } }),
    PhoneNumber: Object.create(null, { [Symbol.for("callerid.brand")]: { value: "PhoneNumber" } }),
  };
  for (const [name, value] of Object.entries(foreign)) {
    for (const [other, type] of Object.entries(classes)) assert.equal(value instanceof type, name === other, `${name} instanceof ${other}`);
  }
  assert.equal(isRestException(new RestException(404, "no")), true);
  for (const value of [null, undefined, "RestException", new Error("no"), new UnexpectedResponse(404, "no")]) assert.equal(isRestException(value), false);
  class Own extends RestException {}
  assert.ok(new Own(404, "no") instanceof Own && new Own(404, "no") instanceof RestException);
  assert.equal(new RestException(404, "no") instanceof Own, false);
});
