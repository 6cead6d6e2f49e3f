// Ten scenarios, over the mock: node --test

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { beforeEach, test } from "node:test";
import { CallerIdClient, RestException } from "callerid";
import { MockApi } from "callerid/mock";

const NUMBER = "4158675309";
const received = [];
const mock = new MockApi({ onStatusCallback: async (request) => void received.push([request, await request.text()]) });
const { accountSid, authToken, fetch } = mock;
const client = new CallerIdClient({ accountSid, authToken, fetch, baseUrl: "http://localhost", apiVersion: "2010-04-01" });
const listed = async () => (await client.list()).items.map((item) => item.phoneNumber);

beforeEach(() => {
  mock.reset();
  mock.clock.reset();
});

test("happy path", async () => {
  const request = await client.create({ phoneNumber: NUMBER, friendlyName: "Bob" });
  const call = await mock.phone(NUMBER).rings();
  call.answer().press(request.validationCode);
  assert.deepEqual(await listed(), [NUMBER]);
});

test("a wrong code, then the right one", async () => {
  mock.phone(NUMBER).will("wrong_then_right");
  await client.create({ phoneNumber: NUMBER });
  const call = await mock.calls.next({ status: "completed" });
  assert.deepEqual([call.entriesLeft, await listed()], [2, [NUMBER]]);
});

test("busy", async () => {
  mock.phone(NUMBER).will("busy");
  await client.create({ phoneNumber: NUMBER });
  assert.equal((await mock.calls.next()).status, "busy");
  assert.deepEqual(await listed(), []);
});

test("nobody answers", async () => {
  mock.phone(NUMBER).will([{ do: "no_answer", afterMs: 30_000 }]);
  mock.clock.freeze();
  await client.create({ phoneNumber: NUMBER });
  mock.clock.advance(30_000);
  assert.equal((await mock.calls.next()).status, "no-answer");
});

test("time runs out", async () => {
  mock.clock.freeze(new Date("2008-04-01T18:26:32Z"));
  await client.create({ phoneNumber: NUMBER });
  assert.match(mock.codes.get(NUMBER), /^\d{6}$/);
  mock.clock.advance(600_000);
  assert.throws(() => mock.codes.get(NUMBER), { status: 404 });
  assert.equal((await mock.calls.next()).status, "no-answer");
});

test("the service is down twice, then works", async () => {
  mock.faults.add({ match: { method: "POST" }, times: 2, then: { status: 503 } });
  const create = () => client.create({ phoneNumber: NUMBER });
  await assert.rejects(create, { status: 503 });
  await assert.rejects(create, { status: 503 });
  assert.ok((await create()).validationCode);
});

test("the answer is lost after the work was done: asking again rings twice", async () => {
  mock.faults.add({ match: { method: "POST" }, times: 1, then: { drop: "after" } });
  await assert.rejects(client.create({ phoneNumber: NUMBER }));
  const again = await client.create({ phoneNumber: NUMBER });
  const first = await mock.calls.next({ status: "canceled" });
  const second = await mock.calls.next({ status: "ringing" });
  assert.ok(first.callSid !== second.callSid);
  second.answer().press(again.validationCode);
  assert.deepEqual(await listed(), [NUMBER]);
});

test("120 caller IDs over pages", async () => {
  const callerIds = Array.from({ length: 120 }, (_, index) => ({ phoneNumber: `415867${5000 + index}` }));
  mock.seed({ callerIds });
  const seen = new Set();
  for await (const { phoneNumber } of client.listAll()) seen.add(phoneNumber);
  assert.equal(seen.size, 120);
});

test("a number already validated", async () => {
  mock.seed({ callerIds: [{ phoneNumber: NUMBER }] });
  const isKnown = (error) => error instanceof RestException && error.code === 21450;
  await assert.rejects(client.create({ phoneNumber: NUMBER }), isKnown);
});

test("a callback with a signature", async () => {
  await client.create({ phoneNumber: "2125550171", statusCallback: "https://example.com/done" });
  await mock.calls.next({ status: "completed" });
  await mock.callbacksSent();
  const [[request, body]] = received;
  const parameters = [...new URLSearchParams(body)].sort();
  const signed = parameters.reduce((text, [name, value]) => text + name + value, request.url);
  const signature = createHmac("sha1", authToken).update(signed).digest("base64");
  assert.equal(request.headers.get("x-twilio-signature"), signature);
});
