// Tests what the package adds to the core: memory, time, abort signals, events, snapshots.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CallControl, CallerIdClient, FriendlyName, InvalidDocument, InvalidPhoneNumber, PhoneNumber, RestException, UnexpectedResponse, parseResponse } from "callerid";
import { MockApi } from "callerid/mock";

/** The module's memory. It is not exported, so capture it when the module is instantiated, at first use. */
let memory;
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(module, imports) {
    super(module, imports);
    memory = this.exports.memory;
  }
};

const connection = (mock) => ({ accountSid: mock.accountSid, authToken: mock.authToken, baseUrl: "http://callerid.test", fetch: mock.fetch });
const NOW = new Date("2008-04-01T18:26:32Z");
const SID = "PNe536dfda7c6184afab78d980cb8cdf43";
/** Creates caller IDs a second apart, newest first. */
const rows = (count) => Array.from({ length: count }, (_, index) => ({ phoneNumber: `415867${1000 + index}`, dateCreated: new Date(NOW.getTime() - index * 1000) }));

/** Performs a whole validation. */
async function validate(mock, phoneNumber) {
  const { validationCode } = await new CallerIdClient(connection(mock)).create({ phoneNumber });
  return (await mock.phone(phoneNumber).rings()).answer().press(validationCode);
}

test("positions of errors are string indices", () => {
  const text = "😀 415-555-1212 é?";
  const { ok, at, message } = PhoneNumber.check(text);
  assert.equal(ok, false);
  assert.equal(text[at], "é");
  assert.equal(message, "“é” is not part of a phone number.");
  assert.equal(FriendlyName.check(`${"😀".repeat(64)}x`).at, 128);
  assert.equal(FriendlyName.check("😀\0").at, 2);
  assert.deepEqual(FriendlyName.check("a\0"), { ok: false, length: 2, reason: "unprintable", message: "The name has a character that cannot be shown: U+0000.", at: 1 });
  assert.equal(FriendlyName.check("x".repeat(65)).message, "A name has at most 64 characters.");
});

test("an invalid number throws an error with its reason", () => {
  assert.throws(() => PhoneNumber.parse("555"), (error) => error instanceof InvalidPhoneNumber && error instanceof Error && error.reason === "too-short" && error.at === 3);
  assert.throws(() => PhoneNumber.parse("x".repeat(5000)), { reason: "text-too-long", at: 250 });
  assert.throws(() => PhoneNumber.parse(undefined), TypeError);
  assert.deepEqual(PhoneNumber.parseWithExtension("415-867-5309 x123").extension, "123");
  assert.equal(JSON.stringify({ to: PhoneNumber.parse("415-867-5309") }), '{"to":"4158675309"}');
});

test("a number withdrawn from the numbering plan is possible", () => {
  const withdrawn = "2215550123";
  assert.throws(() => PhoneNumber.parse(withdrawn), InvalidPhoneNumber);
  const number = PhoneNumber.parsePossible(withdrawn);
  assert.deepEqual([String(number), number.kind, number.national], [withdrawn, "unassigned", "(221) 555-0123"]);
  assert.equal(PhoneNumber.parsePossible("+14158675309").kind, "fixed-line-or-mobile");
  assert.throws(() => PhoneNumber.parsePossible("415-555-121"), { name: "InvalidPhoneNumber", reason: "too-short", at: 11 });
});

test("normalizeAll agrees with parse", () => {
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

test("normalizeAll handles more and longer lines than the module processes at once", () => {
  const long = "1".repeat(200_000);
  const lines = [...Array.from({ length: 20_000 }, (_, index) => `(415) 867-${String(index % 10_000).padStart(4, "0")}`), long, "212-555-0123", `${long}\r`, long];
  const numbers = new TextDecoder().decode(PhoneNumber.normalizeAll(new TextEncoder().encode(lines.join("\n")))).split("\n");
  assert.equal(numbers.length, lines.length + 1);
  lines.forEach((line, index) => assert.equal(numbers[index], line.length < 20 ? line.replace(/\D/g, "") : ""));
  assert.deepEqual(PhoneNumber.normalizeAll(lines).slice(-4), [null, "2125550123", null, null]);
  assert.equal(PhoneNumber.check(`415-867-5309 ${"é".repeat(100_000)}`).at, 250);
});

test("with a test clock, calls ring only when it advances", async () => {
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

test("rings says that nobody advances the test clock", { timeout: 10_000 }, async () => {
  const mock = new MockApi({ now: NOW });
  const client = new CallerIdClient(connection(mock));
  await client.create({ phoneNumber: "415-867-5309", callDelay: 30 });
  await assert.rejects(mock.phone("415-867-5309").rings(), /4158675309 rings in 30000 ms of the mock's test clock.* mock\.advance\(30000\)$/);
  // Somebody does, and a call that has not been asked for is nobody's fault.
  const rings = mock.phone("415-867-5309").rings();
  const never = mock.phone("415-867-5310").rings();
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    mock.advance(1_000);
  }
  mock.advance(25_000);
  assert.equal((await rings).status, "ringing");
  mock.free();
  await assert.rejects(never, /freed/);
});

test("without a test clock, a delayed call rings by itself", async () => {
  const mock = new MockApi();
  const client = new CallerIdClient(connection(mock));
  const start = Date.now();
  await client.create({ phoneNumber: "415-867-5309", callDelay: 1 });
  const call = await mock.phone("415-867-5309").rings();
  assert.equal(call.status, "ringing");
  assert.ok(Date.now() - start >= 950);
  mock.free();
});

test("the phone can answer, press keys, decline, hang up and not answer", async () => {
  const mock = new MockApi({ validationCode: "000042" });
  const client = new CallerIdClient(connection(mock));
  const ring = async () => {
    await client.create({ phoneNumber: "415-867-5309" });
    return mock.phone("4158675309").rings();
  };
  assert.equal((await ring()).decline().status, "busy");
  assert.equal((await ring()).noAnswer().status, "no-answer");
  assert.equal((await ring()).answer().hangUp().verificationStatus, "failed");
  const over = (await ring()).answer().press("1#1#1#");
  assert.deepEqual([over.status, over.verificationStatus, over.entriesLeft], ["completed", "failed", 0]);
  const call = (await ring()).answer();
  assert.equal(call.press("111111").entriesLeft, 2);
  assert.throws(() => call.answer(), (error) => error instanceof RestException && error.status === 409);
  assert.equal(call.press("111*000042").status, "completed");
  await assert.rejects(client.create({ phoneNumber: "415-867-5309" }), { code: 21450, status: 400, moreInfo: "http://www.twilio.com/docs/errors/21450" });
});

test("next and listAll fetch all pages", async () => {
  const seed = rows(120);
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

for (const apiVersion of ["2008-08-01", "2010-04-01"]) {
  test(`${apiVersion}: a number is validated, listed, renamed and deleted`, async () => {
    const mock = new MockApi({ now: NOW, validationCode: "000042" });
    const urls = [];
    const fetch = (url, init) => {
      urls.push(url);
      return mock.fetch(url, init);
    };
    const client = new CallerIdClient({ ...connection(mock), fetch, apiVersion });
    const request = await client.create({ phoneNumber: "(415) 867.5309", friendlyName: "Zoë", callDelay: 2 });
    const { callSid, ...rest } = request;
    assert.deepEqual(rest, { accountSid: mock.accountSid, phoneNumber: "4158675309", friendlyName: "Zoë", validationCode: "000042" });
    mock.advance(2_000);
    const call = await mock.phone("4158675309").rings();
    assert.equal(callSid, apiVersion === "2008-08-01" ? null : call.callSid);
    call.answer().press(request.validationCode);

    const page = await client.list({ phoneNumber: "+1 415 867 5309" });
    const [callerId] = page.items;
    assert.deepEqual({ ...page, items: [] }, { items: [], page: 0, pageSize: 50, pages: 1, total: 1, start: 0, end: 0 });
    const dateCreated = new Date(NOW.getTime() + 2_000);
    const { sid } = callerId;
    assert.deepEqual(callerId, { sid, accountSid: mock.accountSid, friendlyName: "Zoë", phoneNumber: "4158675309", dateCreated, dateUpdated: dateCreated });
    assert.deepEqual(await client.fetch(sid), callerId);
    mock.advance(1_000);
    const renamed = await client.update(sid, { friendlyName: "" });
    assert.deepEqual(renamed, { ...callerId, friendlyName: "(415) 867-5309", dateUpdated: new Date(dateCreated.getTime() + 1_000) });
    assert.equal(await client.delete(sid), undefined);
    assert.equal((await client.list()).items.length, 0);
    for (const url of urls) assert.ok(url.startsWith(`http://callerid.test/${apiVersion}/Accounts/`), url);
  });

  test(`${apiVersion}: next and previous visit all pages`, async () => {
    const mock = new MockApi({ seed: rows(23) });
    const client = new CallerIdClient({ ...connection(mock), apiVersion });
    const numbers = [];
    for await (const { phoneNumber } of client.listAll({ pageSize: 5 })) numbers.push(phoneNumber);
    assert.deepEqual(numbers, rows(23).map((row) => row.phoneNumber));
    const read = [];
    for (let page = await client.list({ pageSize: 5 }); page; page = await page.next()) read.push(page);
    assert.equal(read.length, 5);
    for (let [page, index] = [read[4], 4]; page; page = await page.previous(), index--) assert.deepEqual(page, read[index]);
    assert.deepEqual(read.map((page) => page.hasPrevious), [false, true, true, true, true]);
    // By page number.
    const third = await client.list({ page: 2, pageSize: 5 });
    assert.deepEqual(third, read[2]);
    assert.deepEqual(await third.previous(), read[1]);
    assert.equal(await read[0].previous(), null);
  });

  test(`${apiVersion}: errors of the service have their codes`, async () => {
    const mock = new MockApi({ now: NOW, validationCode: "000042", seed: [{ phoneNumber: "4158675309" }] });
    const client = new CallerIdClient({ ...connection(mock), apiVersion });
    const isNewer = apiVersion === "2010-04-01";
    const moreInfo = (code) => `${isNewer ? "https" : "http"}://www.twilio.com/docs/errors/${code}`;
    await assert.rejects(client.create({ phoneNumber: "4158675309" }), { name: "RestException", status: 400, code: 21450, moreInfo: moreInfo(21450) });
    const missing = { name: "RestException", status: 404, code: isNewer ? 20404 : null, moreInfo: isNewer ? moreInfo(20404) : null };
    for (const request of [client.fetch(SID), client.update(SID, { friendlyName: "" }), client.delete(SID)]) await assert.rejects(request, missing);
    const wrong = new CallerIdClient({ ...connection(mock), authToken: "wrong", apiVersion });
    await assert.rejects(wrong.list(), { status: 401, code: 20003 });
    // Past the end.
    await assert.rejects(client.list({ page: 1 }), { status: 400, code: 20006 });
    // A hundred wrong entries in a row for one number.
    for (let entries = 0; entries < 100; entries += 3) {
      await client.create({ phoneNumber: "2125550123" });
      (await mock.phone("2125550123").rings()).answer().press("111111".repeat(Math.min(3, 100 - entries)));
    }
    await assert.rejects(client.create({ phoneNumber: "2125550123" }), { status: 429, code: 20429 });
  });
}

test("2010-04-01: deleting rows between two pages neither skips nor repeats others", async () => {
  const mock = new MockApi({ seed: rows(20) });
  const client = new CallerIdClient({ ...connection(mock), apiVersion: "2010-04-01" });
  const { items } = await client.list({ pageSize: 1000 });
  const remove = (...indexes) => Promise.all(indexes.map((index) => client.delete(items[index].sid)));
  const read = [];
  for await (const { sid } of client.listAll({ pageSize: 5 })) {
    read.push(sid);
    // Rows of the current page, including its last one, and of the next page.
    if (read.length === 5) await remove(0, 4, 6);
    // The whole next page.
    if (read.length === 10) await remove(11, 12, 13, 14, 15);
  }
  const gone = [6, 11, 12, 13, 14, 15];
  assert.deepEqual(read, items.map((row) => row.sid).filter((_, index) => !gone.includes(index)));
});

test("2010-04-01: previous returns to the page that next was called on", async () => {
  const mock = new MockApi({ seed: rows(20) });
  const client = new CallerIdClient({ ...connection(mock), apiVersion: "2010-04-01" });
  const sids = (page) => page.items.map((row) => row.sid);
  const first = await client.list({ pageSize: 5 });
  const second = await first.next();
  const third = await second.next();
  await client.delete(first.items[0].sid);
  await client.delete(second.items[1].sid);
  const again = await third.previous();
  // It starts at the same row, although a row before it was deleted, and is filled up after losing a row.
  assert.deepEqual(sids(again), [...sids(second).filter((sid) => sid !== second.items[1].sid), third.items[0].sid]);
  assert.equal(again.page, 1);
  assert.deepEqual(sids(await again.previous()), [...sids(first).slice(1), second.items[0].sid]);
  assert.equal(again.hasNext, true);
});

test("a list without a total", async () => {
  const mock = new MockApi();
  const list = '<TwilioResponse><OutgoingCallerIds page="0" pagesize="50" start="0" end="0" uri="/x" nextpageuri=""/></TwilioResponse>';
  const fetch = async () => new Response(list, { headers: { "content-type": "application/xml" } });
  const page = await new CallerIdClient({ ...connection(mock), fetch, apiVersion: "2010-04-01" }).list();
  assert.deepEqual([page.total, page.pages, page.hasNext], [null, null, false]);
  assert.equal(parseResponse(list).total, null);
});

test("the default version depends on the base URL, and can be overridden", async () => {
  const mock = new MockApi();
  const asks = async (options) => {
    let asked;
    const fetch = (url, init) => mock.fetch((asked = url), init);
    await new CallerIdClient({ ...connection(mock), ...options, fetch }).list();
    return new URL(asked).pathname.split("/")[1];
  };
  assert.equal(await asks({}), "2008-08-01");
  assert.equal(await asks({ apiVersion: undefined }), "2008-08-01");
  assert.equal(await asks({ baseUrl: "https://api.twilio.com" }), "2010-04-01");
  assert.equal(await asks({ baseUrl: new URL("https://api.twilio.com"), apiVersion: "2008-08-01" }), "2008-08-01");
  assert.equal(await asks({ apiVersion: "2010-04-01" }), "2010-04-01");
  for (const apiVersion of ["2009-01-01", "", null, 2010]) {
    const message = `apiVersion: expected 2008-08-01 or 2010-04-01, found "${apiVersion}"`;
    assert.throws(() => new CallerIdClient({ ...connection(mock), apiVersion }), { name: "RangeError", message });
  }
});

test("create sends all parameters of 2010-04-01; 2008-08-01 rejects those it does not have", async () => {
  const mock = new MockApi();
  let body;
  const fetch = (url, init) => mock.fetch(url, { ...init, body: (body = init.body) });
  const newer = new CallerIdClient({ ...connection(mock), fetch, apiVersion: "2010-04-01" });
  const phoneNumber = "415-867-5309";
  const statusCallback = new URL("https://example.com/done?a=b");
  await newer.create({ phoneNumber, friendlyName: "A", callDelay: 1, extension: "1ww2", statusCallback, statusCallbackMethod: "GET" });
  const sent = { PhoneNumber: "+14158675309", FriendlyName: "A", CallDelay: "1", Extension: "1ww2", StatusCallback: String(statusCallback), StatusCallbackMethod: "GET" };
  assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), sent);
  await newer.create({ phoneNumber, statusCallback });
  assert.equal(new URLSearchParams(body).get("StatusCallbackMethod"), "POST");

  body = undefined;
  const refused = [
    [{ extension: "12#" }, /^extension: an extension is 1 to 32 digits, and w for half a second's wait$/],
    [{ statusCallback: "example.com" }, /^statusCallback: expected http:\/\/ or https:\/\/ and a host$/],
    [{ statusCallback, statusCallbackMethod: "PUT" }, /^statusCallbackMethod: expected GET or POST, found "PUT"$/],
  ];
  for (const [parameters, message] of refused) await assert.rejects(newer.create({ phoneNumber, ...parameters }), { name: "RangeError", message });
  const older = new CallerIdClient({ ...connection(mock), fetch });
  for (const [parameters, name] of [[{ extension: "1" }, "Extension"], [{ statusCallback }, "StatusCallback"]]) {
    const message = `the API's version 2008-08-01 has no ${name}; 2010-04-01 has`;
    await assert.rejects(older.create({ phoneNumber, ...parameters }), { name: "RangeError", message });
  }
  assert.equal(body, undefined, "nothing was sent");
});

test("invalid parameters are rejected before a request is sent", async () => {
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

test("responses of other services are recognized", async () => {
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

test("parseResponse rejects content types other than XML", () => {
  const body = "<TwilioResponse><RestException><Status>404</Status><Message>no</Message></RestException></TwilioResponse>";
  for (const type of [undefined, null, "application/xml", "text/xml; charset=utf-8", "Application/Atom+XML"]) assert.equal(parseResponse(body, type).exception.status, 404);
  for (const type of ["text/html", "application/json; charset=utf-8", "", "application/xmlish"]) {
    assert.throws(() => parseResponse(body, type), { name: "InvalidDocument", message: `expected a document in XML, found "${type}"`, at: 0 });
  }
});

test("an aborted request rejects with the signal's reason", async () => {
  const mock = new MockApi();
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const client = new CallerIdClient(connection(mock));
  await assert.rejects(client.list({}, { signal }), reason);
  await assert.rejects(mock.phone("415-867-5309").rings({ signal }), reason);
  const controller = new AbortController();
  const events = new CallControl(connection(mock)).events({ signal: controller.signal });
  const next = events.next();
  setTimeout(() => {
    // The signal must work even after the stream's request was garbage collected.
    globalThis.gc();
    controller.abort(reason);
  }, 10);
  await assert.rejects(next, reason);
});

test("the event stream delivers changes, including missed ones", async () => {
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

test("restore returns to a snapshot", async () => {
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

test("representations and limits are the same as on the server", async () => {
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

test("every response has a request Sid and CORS headers", async () => {
  const mock = new MockApi();
  const headers = { Authorization: `Basic ${btoa(`${mock.accountSid}:${mock.authToken}`)}` };
  const body = "x".repeat(70_000);
  const answers = [
    await mock.fetch("http://x/_callerid/health", { headers }),
    await mock.fetch("http://x/_callerid/events", { headers }),
    await mock.fetch("http://x/_callerid/events"),
    await mock.fetch("http://x/2010-04-01/", { method: "POST", headers, body }),
  ];
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 401, 413]);
  const names = answers.map((answer) => answer.headers.get("twilio-request-id"));
  for (const name of names) assert.match(name, /^RQ[0-9a-f]{32}$/);
  assert.equal(new Set(names).size, names.length);
  for (const answer of answers) assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  await answers[1].body.cancel();
});

/** Measures memory after garbage collection. Several rounds, because finalized objects are only collected in a later one. */
async function held() {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { wasm: memory.buffer.byteLength, heap: process.memoryUsage().heapUsed };
}

/** After 10,000 iterations, the module's memory has not grown, and the heap by less than 100 bytes per iteration. */
function assertNoLeak(before, after) {
  assert.equal(after.wasm, before.wasm);
  assert.ok(after.heap - before.heap < 1_000_000, `${after.heap - before.heap} bytes more than before`);
}

test("10,000 requests, clients and mocks do not leak memory", async () => {
  const mock = new MockApi({ now: NOW });
  const client = new CallerIdClient(connection(mock));
  const round = async (times) => {
    for (let index = 0; index < times; index++) {
      await client.list();
      const short = new MockApi({ now: NOW });
      short.free();
      short[Symbol.dispose ?? "free"]();
      PhoneNumber.check("nobody");
      if (index % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  };
  await round(1_000);
  const before = await held();
  await round(10_000);
  assertNoLeak(before, await held());
});

test("10,000 calls in one mock do not leak memory", async () => {
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
  // Fill the mock's history of 10,000 events, twice: old ones are dropped from then on, and the allocator's free space settles.
  await validations(5_000);
  const before = await held();
  await validations(10_000);
  assertNoLeak(before, await held());
  mock.free();
});

test("a freed mock throws", async () => {
  const mock = new MockApi();
  const waiting = mock.phone("4158675309").rings();
  mock.free();
  await assert.rejects(waiting, /freed/);
  await assert.rejects(mock.fetch("http://x/"), /freed/);
});
