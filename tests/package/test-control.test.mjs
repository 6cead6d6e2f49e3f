// Tests what tests control of a mock: clock, seed, faults, phones, requests and codes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CallerIdClient, RestException } from "callerid";
import { MockApi } from "callerid/mock";

const NOW = new Date("2008-04-01T18:26:32Z");
const NUMBER = "4158675309";

function fresh(options) {
  const mock = new MockApi(options);
  const { accountSid, authToken, fetch } = mock;
  const client = new CallerIdClient({ accountSid, authToken, fetch, baseUrl: "http://callerid.test" });
  const authorization = `Basic ${btoa(`${accountSid}:${authToken}`)}`;
  const list = `http://callerid.test/2008-08-01/Accounts/${accountSid}/OutgoingCallerIds`;
  return { mock, client, list, headers: { authorization } };
}

const numbers = async (client) => (await client.list()).items.map((item) => item.phoneNumber).sort();

test("reset restores the seed, and keeps the clock", async () => {
  const { mock, client } = fresh({ seed: [{ phoneNumber: "415-867-5300", friendlyName: "Office" }] });
  mock.clock.freeze(NOW);
  await client.create({ phoneNumber: NUMBER });
  mock.seed({ callerIds: [{ phoneNumber: "415-867-5301" }] });
  mock.faults.add({ then: { status: 500 } });
  mock.reset();
  assert.deepEqual(await numbers(client), ["4158675300"]);
  assert.deepEqual([mock.faults.list(), mock.requests.list().length, mock.now], [[], 1, NOW]);
  assert.throws(() => mock.codes.get(NUMBER), { name: "RestException", status: 404 });
});

test("seed adds caller IDs, codes and scripts, or nothing", async () => {
  const { mock, client } = fresh();
  const row = { phoneNumber: "(415) 867-5300", friendlyName: "Office", sid: "PNe536dfda7c6184afab78d980cb8cdf43", dateCreated: NOW };
  mock.seed({ callerIds: [row], codes: { "415-867-5309": "042917" }, phones: { "*": [{ do: "answer", afterMs: 0 }] } });
  const { accountSid } = mock;
  assert.deepEqual(await client.fetch(row.sid), { sid: row.sid, accountSid, friendlyName: "Office", phoneNumber: "4158675300", dateCreated: NOW, dateUpdated: NOW });
  assert.equal((await client.create({ phoneNumber: NUMBER })).validationCode, "042917");
  assert.equal(mock.codes.get("415-867-5309"), "042917");
  assert.equal((await mock.calls.next({ status: "in-progress" })).phoneNumber, NUMBER);
  const wrong = { callerIds: [{ phoneNumber: "4158675301" }, { phoneNumber: "4158675302", sid: "PN1" }] };
  assert.throws(() => mock.seed(wrong), (error) => error instanceof RestException && error.status === 400 && /caller_ids\[1\]\.sid/.test(error.message));
  assert.throws(() => mock.seed({ callerIds: [{ phoneNumber: "555" }] }), { name: "InvalidPhoneNumber" });
  assert.deepEqual(await numbers(client), ["4158675300"]);
});

test("the clock can be set, advanced, frozen and reset", async () => {
  const { mock, client } = fresh();
  mock.clock.freeze(NOW);
  assert.deepEqual([mock.clock.now, mock.now, mock.clock.isFrozen], [NOW, NOW, true]);
  await client.create({ phoneNumber: NUMBER, callDelay: 30 });
  const heard = [];
  mock.addEventListener("call", ({ call }) => heard.push([call.status, call.ringingAt.getTime() - NOW.getTime()]));
  mock.clock.advance(29_999);
  assert.deepEqual(heard, []);
  mock.clock.advance(10 * 60_000);
  assert.deepEqual(heard, [["ringing", 30_000]]);
  const ended = await mock.calls.next({ phoneNumber: NUMBER, status: "no-answer" });
  assert.equal(ended.endedAt.getTime(), NOW.getTime() + 600_000);
  mock.clock.set(new Date("2020-01-01T00:00:00Z"));
  assert.equal(mock.now.toISOString(), "2020-01-01T00:00:00.000Z");
  mock.clock.reset();
  assert.ok(Math.abs(mock.now.getTime() - Date.now()) < 1_000);
  assert.throws(() => mock.clock.advance(-1), RangeError);
});

test("rings says that nobody advances a frozen clock", async () => {
  const { mock, client } = fresh();
  mock.clock.freeze();
  await client.create({ phoneNumber: NUMBER, callDelay: 30 });
  await assert.rejects(mock.phone(NUMBER).rings(), /4158675309 rings in 30000 ms .* mock\.clock\.advance\(30000\)$/);
});

test("a clock that is advanced over HTTP answers when everything has followed", async () => {
  const { mock, client, headers } = fresh({ now: NOW });
  await client.create({ phoneNumber: "212-555-0171", callDelay: 30 });
  const response = await mock.fetch("http://x/_callerid/clock/advance", { method: "POST", headers, body: '{"seconds":31}' });
  assert.deepEqual(await response.json(), { now: "2008-04-01T18:27:03.000Z", frozen: false });
  assert.deepEqual(await numbers(client), ["2125550171"]);
});

test("requests fail so many times, and then work", async () => {
  const { mock, client, list, headers } = fresh();
  const { id } = mock.faults.add({ match: { method: "POST", phoneNumber: "415-867-5309" }, times: 2, then: { status: 503, code: 20503, message: "Try later", retryAfter: 1 } });
  for (let time = 0; time < 2; time++) await assert.rejects(client.create({ phoneNumber: NUMBER }), { status: 503, code: 20503, message: /Try later/ });
  mock.faults.add({ match: { method: "GET" }, times: 1, then: { status: 503, retryAfter: 7 } });
  assert.equal((await mock.fetch(list, { headers })).headers.get("retry-after"), "7");
  await client.list({ phoneNumber: NUMBER });
  await client.create({ phoneNumber: NUMBER });
  const [fault] = mock.faults.list();
  assert.deepEqual([fault.id, fault.hits, fault.timesLeft, fault.then.retryAfter], [id, 2, 0, 1]);
  mock.faults.remove(id);
  assert.throws(() => mock.faults.remove(id), { status: 404 });
  mock.faults.add({ then: { drop: "before" } });
  mock.faults.clear();
  assert.deepEqual(mock.faults.list(), []);
  assert.throws(() => mock.faults.add({ then: {} }), { status: 400, message: /then: expected/ });
});

test("a connection is lost before the work, after it, and in the middle of the body", async () => {
  const { mock, client, list, headers } = fresh();
  const create = () => mock.fetch(list, { method: "POST", headers, body: new URLSearchParams({ PhoneNumber: NUMBER }) });
  mock.faults.add({ times: 1, then: { drop: "before" } });
  await assert.rejects(create(), TypeError);
  assert.throws(() => mock.codes.get(NUMBER), { status: 404 });
  mock.faults.add({ times: 1, then: { drop: "after" } });
  await assert.rejects(create(), TypeError);
  assert.match(mock.codes.get(NUMBER), /^\d{6}$/);
  mock.faults.add({ times: 1, then: { drop: "mid_body" } });
  const response = await mock.fetch(list, { headers });
  assert.equal(response.status, 200);
  let received = 0;
  await assert.rejects(async () => {
    for await (const chunk of response.body) received += chunk.length;
  }, TypeError);
  assert.equal(received, Math.floor(Number(response.headers.get("content-length")) / 2));
  assert.deepEqual(await numbers(client), []);
});

test("a response is delayed, and held until it is released", async () => {
  const { mock, list, headers } = fresh();
  mock.faults.add({ times: 1, then: { delayMs: 100 } });
  const start = performance.now();
  assert.equal((await mock.fetch(list, { headers })).status, 200);
  assert.ok(performance.now() - start >= 95);
  const { id } = mock.faults.add({ then: { hold: true } });
  let answered = false;
  const held = mock.fetch(list, { headers }).then((response) => {
    answered = true;
    return response.status;
  });
  const signal = AbortSignal.timeout(50);
  await assert.rejects(mock.fetch(list, { headers, signal }), { name: "TimeoutError" });
  assert.equal(answered, false);
  mock.faults.release(id);
  assert.equal(await held, 200);
  mock.faults.add({ then: { hold: true } });
  const forever = mock.fetch(list, { headers });
  setTimeout(() => mock.free(), 30);
  await assert.rejects(forever, /freed/);
});

test("phones do by themselves what a script says", async () => {
  const { mock, client } = fresh();
  mock.phone("415-867-5309").will("verifies");
  await client.create({ phoneNumber: NUMBER });
  assert.deepEqual(await numbers(client), [NUMBER]);
  mock.phone("415-867-5310").will([{ do: "answer" }, { do: "key", digits: "wrong" }, { do: "hang_up", afterMs: 20 }]);
  await client.create({ phoneNumber: "4158675310" });
  const call = await mock.calls.next({ phoneNumber: "415-867-5310", status: "completed" });
  assert.deepEqual([call.verificationStatus, call.entriesLeft], ["failed", 2]);
  assert.throws(() => mock.phone(NUMBER).will("sings"), { status: 400, message: /verifies/ });
});

test("the numbers 555-0171 to 555-0178 behave by themselves", async () => {
  const { mock, client } = fresh();
  const ends = [];
  for (let last = 1; last <= 8; last++) {
    const phoneNumber = `212555017${last}`;
    await client.create({ phoneNumber });
    const { calls } = await (await mock.fetch(`http://x/_callerid/calls?phone_number=${phoneNumber}`, { headers: { authorization: `Basic ${btoa(`${mock.accountSid}:${mock.authToken}`)}` } })).json();
    ends.push(`${calls[0].status} ${calls[0].verification_status}`);
  }
  assert.deepEqual(ends, ["completed success", "completed failed", "completed success", "busy failed", "no-answer failed", "busy failed", "completed failed", "failed failed"]);
});

test("the log has the last requests", async () => {
  const { mock, client } = fresh({ now: NOW });
  await client.list();
  await client.create({ phoneNumber: NUMBER });
  const [, request] = mock.requests.list();
  const { requestSid, ...rest } = request;
  assert.match(requestSid, /^RQ[0-9a-f]{32}$/);
  const path = `/2008-08-01/Accounts/${mock.accountSid}/OutgoingCallerIds`;
  assert.deepEqual(rest, { id: 2, at: NOW, method: "POST", path, query: "", form: `PhoneNumber=${NUMBER}`, version: "2008-08-01", status: 200, code: null });
  assert.deepEqual(mock.requests.list({ since: 1 }), [request]);
  mock.requests.clear();
  assert.deepEqual(mock.requests.list(), []);
});

test("calls.next waits for a call that matches", async () => {
  const { mock, client } = fresh();
  const next = mock.calls.next({ phoneNumber: "415-867-5309", status: "ringing" });
  await client.create({ phoneNumber: "4158675310" });
  await client.create({ phoneNumber: NUMBER });
  const call = await next;
  assert.deepEqual([call.phoneNumber, call.answer().status], [NUMBER, "in-progress"]);
  const reason = new Error("enough");
  const controller = new AbortController();
  const never = mock.calls.next({ status: "failed" }, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(never, reason);
  await assert.rejects(mock.calls.next({ status: "singing" }), { status: 400 });
  const freed = mock.calls.next({ status: "failed" });
  mock.free();
  await assert.rejects(freed, /freed/);
});

test("a request with wait answers when something matches, or after its time", async () => {
  const { mock, client, headers } = fresh();
  const waits = (query) => mock.fetch(`http://x/_callerid/caller_ids?${query}`, { headers }).then((response) => response.json());
  const start = performance.now();
  assert.deepEqual(await waits("wait=1"), { caller_ids: [] });
  assert.ok(performance.now() - start >= 950);
  const found = waits("wait=60");
  await client.create({ phoneNumber: "2125550171" });
  assert.equal((await found).caller_ids[0].phone_number, "2125550171");
});
