// What only the package does, beyond the core: memory, time, abortion, events, snapshots.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CallControl,
  CallerIdClient,
  FriendlyName,
  InvalidDocument,
  InvalidPhoneNumber,
  MockApi,
  PhoneNumber,
  RestException,
  UnexpectedResponse,
  parseResponse,
} from "callerid";
// Not exported: how much memory the module has.
import { memory } from "./node_modules/callerid/dist/wasm.js";

const connection = (mock) => ({ accountSid: mock.accountSid, authToken: mock.authToken, baseUrl: "http://callerid.test", fetch: mock.fetch });
const NOW = new Date("2008-04-01T18:26:32Z");

/** Validates a number from start to end. */
async function validate(mock, phoneNumber) {
  const { validationCode } = await new CallerIdClient(connection(mock)).create({ phoneNumber });
  return (await mock.phone(phoneNumber).rings()).answer().press(validationCode);
}

test("an index of an error counts as strings do", () => {
  const text = "😀 415-555-1212 é?";
  const { ok, at } = PhoneNumber.check(text);
  assert.equal(ok, false);
  assert.equal(text[at], "é");
  assert.equal(FriendlyName.check(`${"😀".repeat(64)}x`).at, 128);
  assert.deepEqual(FriendlyName.check("a\0"), { ok: false, length: 2, reason: "unprintable", message: "the character U+0000 at byte 1 cannot be shown", at: 1 });
});

test("a number that is none is thrown as an error with its reason", () => {
  assert.throws(() => PhoneNumber.parse("555"), (error) => error instanceof InvalidPhoneNumber && error instanceof Error && error.reason === "too-short" && error.at === 3);
  assert.throws(() => PhoneNumber.parse("x".repeat(5000)), { reason: "text-too-long", at: 250 });
  assert.throws(() => PhoneNumber.parse(undefined), TypeError);
  assert.deepEqual(PhoneNumber.parseWithExtension("415-867-5309 x123").extension, "123");
  assert.equal(JSON.stringify({ to: PhoneNumber.parse("415-867-5309") }), '{"to":"4158675309"}');
});

test("many numbers are read as one by one", () => {
  const texts = ["415-867-5309", "", "none", "1-800-FLOWERS", "415\n867-5309", "+1 415 867 5309\r", "٤١٥٨٦٧٥٣٠٩", "\ud800"];
  const one = (text) => {
    const checked = PhoneNumber.check(text);
    return checked.ok ? String(checked.phoneNumber) : null;
  };
  assert.deepEqual(PhoneNumber.normalizeAll(texts), texts.map(one));
  const lines = PhoneNumber.normalizeAll(new TextEncoder().encode("415-867-5309\r\nnone\n2125550123"));
  assert.equal(new TextDecoder().decode(lines), "4158675309\n\n2125550123\n");
  assert.deepEqual(PhoneNumber.normalizeAll([]), []);
});

test("a test clock moves calls and nothing else does", async () => {
  const mock = new MockApi({ now: NOW });
  const client = new CallerIdClient(connection(mock));
  await client.create({ phoneNumber: "415-867-5309", callDelay: 30 });
  let call;
  const rings = mock.phone("415-867-5309").rings().then((rung) => (call = rung));
  mock.advance(29_999);
  await Promise.resolve();
  assert.equal(call, undefined);
  mock.advance(1);
  await rings;
  assert.equal(call.ringingAt.getTime(), NOW.getTime() + 30_000);
  mock.advance(10 * 60_000);
  const [ended] = await new CallControl(connection(mock)).calls();
  assert.equal(ended.status, "no-answer");
  assert.equal(ended.endedAt.getTime(), NOW.getTime() + 10 * 60_000);
});

test("the platform's clock makes a delayed call ring", async () => {
  const mock = new MockApi();
  const client = new CallerIdClient(connection(mock));
  const start = Date.now();
  await client.create({ phoneNumber: "415-867-5309", callDelay: 1 });
  const call = await mock.phone("415-867-5309").rings();
  assert.equal(call.status, "ringing");
  assert.ok(Date.now() - start >= 950);
  mock.free();
});

test("the phone can do what a phone does", async () => {
  const mock = new MockApi({ validationCode: "000042" });
  const client = new CallerIdClient(connection(mock));
  const ring = async () => {
    await client.create({ phoneNumber: "415-867-5309" });
    return mock.phone("4158675309").rings();
  };
  assert.equal((await ring()).decline().status, "busy");
  assert.equal((await ring()).noAnswer().status, "no-answer");
  assert.equal((await ring()).answer().hangUp().verificationStatus, "failed");
  const call = (await ring()).answer();
  assert.equal(call.press("111111").entriesLeft, 2);
  assert.throws(() => call.answer(), (error) => error instanceof RestException && error.status === 409);
  assert.equal(call.press("111*000042").status, "completed");
  await assert.rejects(client.create({ phoneNumber: "415-867-5309" }), { code: 21450, status: 400, moreInfo: "http://www.twilio.com/docs/errors/21450" });
});

test("every page is followed, and counted", async () => {
  const seed = Array.from({ length: 120 }, (_, index) => ({ phoneNumber: `415867${1000 + index}`, dateCreated: new Date(NOW.getTime() - index * 1000) }));
  const mock = new MockApi({ seed });
  const client = new CallerIdClient(connection(mock));
  const page = await client.list();
  assert.deepEqual([page.total, page.pages, page.start, page.end, page.items.length], [120, 3, 0, 49, 50]);
  assert.equal((await (await page.next()).next()).hasNext, false);
  assert.equal((await (await page.next()).previous()).page, 0);
  const numbers = [];
  for await (const { phoneNumber } of client.listAll({ pageSize: 7 })) numbers.push(phoneNumber);
  assert.deepEqual(numbers, seed.map((row) => row.phoneNumber));
  assert.deepEqual(Object.keys(page), ["items", "page", "pageSize", "pages", "total", "start", "end"]);
  assert.equal(page.items[0].dateCreated.getTime(), NOW.getTime());
});

test("what cannot be is refused before it is sent", async () => {
  const mock = new MockApi();
  const client = new CallerIdClient({ ...connection(mock), fetch: () => assert.fail("sent") });
  await assert.rejects(client.create({ phoneNumber: "555" }), InvalidPhoneNumber);
  await assert.rejects(client.create({ phoneNumber: "415-867-5309", callDelay: 1.5 }), RangeError);
  await assert.rejects(client.update("PN1", { friendlyName: "" }), RangeError);
  await assert.rejects(client.list({ pageSize: 1001 }), RangeError);
  await assert.rejects(client.list({ page: -1 }), RangeError);
  assert.throws(() => new CallerIdClient({ ...connection(mock), baseUrl: "ftp://x" }), RangeError);
  assert.throws(() => new MockApi({ accountSid: "AC1" }), RangeError);
});

test("something else's answer is told apart", async () => {
  const mock = new MockApi();
  const answers = (body, init) => new CallerIdClient({ ...connection(mock), fetch: async () => new Response(body, init) });
  await assert.rejects(answers("<html>", { status: 502 }).list(), (error) => error instanceof UnexpectedResponse && error.status === 502);
  await assert.rejects(answers("<TwilioResponse>", { headers: { "content-type": "application/xml" } }).list(), (error) => error instanceof UnexpectedResponse && error.cause instanceof InvalidDocument);
  assert.throws(() => parseResponse("<!DOCTYPE a []><a/>"), InvalidDocument);
  const wrong = new CallerIdClient({ ...connection(mock), authToken: "wrong" });
  await assert.rejects(wrong.list(), { name: "RestException", status: 401, code: 20003 });
  const control = new CallControl({ ...connection(mock), authToken: "wrong" });
  await assert.rejects(control.calls(), { name: "RestException", status: 401, code: 20003 });
});

test("an aborted request is rejected with the signal's reason", async () => {
  const mock = new MockApi();
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const client = new CallerIdClient(connection(mock));
  await assert.rejects(client.list({}, { signal }), reason);
  await assert.rejects(mock.phone("415-867-5309").rings({ signal }), reason);
  const controller = new AbortController();
  const events = new CallControl(connection(mock)).events({ signal: controller.signal });
  const next = events.next();
  setTimeout(() => controller.abort(reason), 10);
  await assert.rejects(next, reason);
});

test("changes are streamed, and missed ones are told of", async () => {
  const mock = new MockApi();
  const control = new CallControl(connection(mock));
  const heard = [];
  mock.addEventListener("change", ({ change }) => heard.push(change.type));
  const types = [];
  const events = control.events();
  const following = (async () => {
    for await (const change of events) if (types.push(change.type) === 4) break;
  })();
  await new Promise((resolve) => setTimeout(resolve, 10));
  await validate(mock, "415-867-5309");
  await following;
  assert.deepEqual(types, ["call", "call", "call", "caller-id-added"]);
  assert.deepEqual(heard, types);
  const [{ value: resumed }] = [await control.events({ lastEventId: "3" }).next()];
  assert.equal(resumed.id, "4");
  assert.equal((await control.events({ lastEventId: "99" }).next()).value.type, "reset");
  await assert.rejects(control.events({ lastEventId: "x" }).next(), { status: 400 });
});

test("a snapshot is gone back to", async () => {
  const mock = new MockApi({ validationCode: "000042", now: NOW });
  const client = new CallerIdClient(connection(mock));
  await client.create({ phoneNumber: "415-867-5309" });
  const snapshot = mock.snapshot();
  (await mock.phone("415-867-5309").rings()).answer().press("000042");
  assert.equal((await client.list()).total, 1);
  const changes = [];
  mock.addEventListener("change", ({ change }) => changes.push(change.type));
  mock.restore(snapshot);
  assert.deepEqual(changes, ["reset"]);
  assert.equal((await client.list()).total, 0);

  const other = new MockApi({ now: NOW });
  other.restore(snapshot);
  assert.equal(other.accountSid, mock.accountSid);
  assert.equal((await other.phone("415-867-5309").rings()).answer().press("000042").status, "completed");
  assert.throws(() => other.restore(snapshot.subarray(0, 100)), RangeError);
});

test("the other representations and the limits are the server's", async () => {
  const mock = new MockApi({ seed: [{ phoneNumber: "4158675309", friendlyName: "a,b" }] });
  const headers = { Authorization: `Basic ${btoa(`${mock.accountSid}:${mock.authToken}`)}` };
  const list = `http://x/2008-08-01/Accounts/${mock.accountSid}/OutgoingCallerIds`;
  assert.match(await (await mock.fetch(`${list}.csv`, { headers })).text(), /"a,b"/);
  assert.equal((await mock.fetch(new Request(list))).headers.get("www-authenticate"), 'Basic realm="Twilio API"');
  const body = new URLSearchParams({ PhoneNumber: "4".repeat(70_000) });
  assert.equal((await mock.fetch(list, { method: "POST", headers, body })).status, 413);
  const wrong = await mock.fetch(list, { method: "PUT", headers });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, POST"]);
});

test("ten thousand calls, clients and mocks leak nothing", async () => {
  const bytes = () => {
    globalThis.gc();
    return { wasm: memory().length, heap: process.memoryUsage().heapUsed };
  };
  const mock = new MockApi({ now: NOW });
  const client = new CallerIdClient(connection(mock));
  const round = async (times) => {
    for (let index = 0; index < times; index++) {
      await client.list();
      const short = new MockApi({ now: NOW });
      short.free();
      short.free();
      PhoneNumber.check("nobody");
      if (index % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  };
  await round(1_000);
  const before = bytes();
  await round(10_000);
  const after = bytes();
  assert.equal(after.wasm, before.wasm);
  assert.ok(after.heap - before.heap < 2_000_000, `${after.heap - before.heap} bytes more than before`);
});

test("a mock that validates for ever stays within what it keeps", async () => {
  const mock = new MockApi({ now: NOW, validationCode: "000042" });
  const validations = async (times) => {
    for (let index = 0; index < times; index++) {
      const call = await validate(mock, "415-867-5309");
      assert.equal(call.status, "completed");
      const { items } = await new CallerIdClient(connection(mock)).list();
      await new CallerIdClient(connection(mock)).delete(items[0].sid);
      if (index % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  };
  // Until the events that are kept, ten thousand, come and go.
  await validations(2_500);
  globalThis.gc();
  const before = memory().length;
  await validations(1_800);
  globalThis.gc();
  assert.equal(memory().length, before);
  mock.free();
});

test("a mock that was freed says so", async () => {
  const mock = new MockApi();
  const waiting = mock.phone("4158675309").rings();
  mock.free();
  await assert.rejects(waiting, /freed/);
  await assert.rejects(mock.fetch("http://x/"), /freed/);
});
