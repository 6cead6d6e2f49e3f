// What the client adds to its requests: waiting for a validation, timeouts, repetition, a base URL with a path.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CallControl, CallerIdClient, RestException, ValidationFailed } from "callerid";
import { MockApi } from "callerid/mock";

const NUMBER = "4158675309";
const CODE = "012345";

const connection = (mock, fetch = mock.fetch) => ({ accountSid: mock.accountSid, authToken: mock.authToken, baseUrl: "http://callerid.test", fetch });
// Without sockets, nothing keeps the process alive until a signal of AbortSignal.timeout fires.
const alive = setInterval(() => {}, 1_000);
after(() => clearInterval(alive));

/** A fetch of a service that has only the API, such as Twilio's. Counts the requests for the list. */
function withoutControl(mock) {
  const fetch = async (url, init) => {
    if (url.includes("/_callerid/")) return new Response("<html>", { status: 404, headers: { "content-type": "text/html" } });
    if (init.method === "GET") fetch.lists++;
    return mock.fetch(url, init);
  };
  fetch.lists = 0;
  return fetch;
}
/** Gives what was started time to wait. */
const settle = () => sleep(20);

for (const apiVersion of ["2008-08-01", "2010-04-01"]) {
  test(`${apiVersion}: waitUntilValidated follows the events, without polling`, { timeout: 5_000 }, async () => {
    const mock = new MockApi({ validationCode: CODE });
    let lists = 0;
    const fetch = (url, init) => mock.fetch(url, ((lists += url.includes("OutgoingCallerIds?")), init));
    const client = new CallerIdClient({ ...connection(mock, fetch), apiVersion });
    const request = await client.create({ phoneNumber: NUMBER, friendlyName: "Bob" });
    const validated = client.waitUntilValidated(request, { pollInterval: 1 });
    await settle();
    (await mock.phone(NUMBER).rings()).answer().press("111111").press(CODE);
    const callerId = await validated;
    assert.deepEqual(callerId, (await client.list()).items[0]);
    assert.equal(callerId.friendlyName, "Bob");
    assert.equal(lists, 2, "one list before the events, and this test's");
  });

  test(`${apiVersion}: waitUntilValidated rejects with how the call ended`, { timeout: 5_000 }, async () => {
    const ends = {
      completed: (call) => call.answer().press("1#1#1#"),
      busy: (call) => call.decline(),
      "no-answer": (call) => call.noAnswer(),
      canceled: (_, client) => client.create({ phoneNumber: NUMBER }),
    };
    for (const [reason, end] of Object.entries(ends)) {
      for (const isEarly of [false, true]) {
        // Replaced by a new request, whose call is the number's.
        if (isEarly && reason === "canceled" && apiVersion === "2008-08-01") continue;
        const mock = new MockApi({ validationCode: CODE });
        let isFollowing = false;
        const fetch = async (url, init) => {
          const response = await mock.fetch(url, init);
          isFollowing ||= url.includes("/_callerid/calls?");
          return response;
        };
        const client = new CallerIdClient({ ...connection(mock, fetch), apiVersion });
        const request = await client.create({ phoneNumber: NUMBER });
        const call = await mock.phone(NUMBER).rings();
        if (isEarly) await end(call, client);
        const validated = client.waitUntilValidated(request);
        validated.catch(() => {});
        while (!isFollowing) await settle();
        if (!isEarly) await end(call, client);
        await assert.rejects(validated, (error) => error instanceof ValidationFailed && error.reason === reason && error.call.callSid === call.callSid && /^[A-Z][^0-9]*\.$/.test(error.message));
        mock.free();
      }
    }
  });

  test(`${apiVersion}: waitUntilValidated resolves if the number is validated already`, { timeout: 5_000 }, async () => {
    const mock = new MockApi({ validationCode: CODE });
    const client = new CallerIdClient({ ...connection(mock), apiVersion });
    const request = await client.create({ phoneNumber: NUMBER });
    (await mock.phone(NUMBER).rings()).answer().press(CODE);
    assert.equal((await client.waitUntilValidated(request)).phoneNumber, NUMBER);
  });
}

test("waitUntilValidated polls a service without events", { timeout: 5_000 }, async () => {
  const mock = new MockApi({ validationCode: CODE });
  const fetch = withoutControl(mock);
  const client = new CallerIdClient(connection(mock, fetch));
  const request = await client.create({ phoneNumber: NUMBER });
  const validated = client.waitUntilValidated(request, { pollInterval: 5 });
  while (fetch.lists < 3) await settle();
  (await mock.phone(NUMBER).rings()).answer().press(CODE);
  assert.equal((await validated).phoneNumber, NUMBER);
});

test("waitUntilValidated polls if no stream comes through", { timeout: 15_000 }, async () => {
  const mock = new MockApi({ validationCode: CODE });
  const fetch = (url, init) => (url.endsWith("/events") ? new Promise(() => {}) : mock.fetch(url, init));
  const client = new CallerIdClient(connection(mock, fetch));
  const validated = client.waitUntilValidated(await client.create({ phoneNumber: NUMBER }), { pollInterval: 5 });
  (await mock.phone(NUMBER).rings()).answer().press(CODE);
  assert.equal((await validated).phoneNumber, NUMBER);
});

test("waitUntilValidated survives a lost stream, a lost connection and an overloaded service", { timeout: 5_000 }, async () => {
  const mock = new MockApi({ validationCode: CODE });
  const streams = [];
  let failures = 3;
  const fetch = async (url, init) => {
    if (url.endsWith("/events")) {
      if (streams.length > 0 && failures-- > 0) {
        if (failures === 2) throw new TypeError("fetch failed");
        return new Response("", { status: failures === 1 ? 503 : 502 });
      }
      const lost = new AbortController();
      streams.push(lost);
      return mock.fetch(url, { ...init, signal: AbortSignal.any([init.signal, lost.signal]) });
    }
    return mock.fetch(url, init);
  };
  const client = new CallerIdClient(connection(mock, fetch));
  const request = await client.create({ phoneNumber: NUMBER });
  const validated = client.waitUntilValidated(request, { pollInterval: 5 });
  await settle();
  streams[0].abort(new TypeError("terminated"));
  (await mock.phone(NUMBER).rings()).answer();
  while (streams.length < 2) await settle();
  const [call] = await new CallControl(connection(mock)).calls();
  await new CallControl(connection(mock)).press(call.callSid, CODE);
  assert.equal((await validated).phoneNumber, NUMBER);
});

test("waitUntilValidated ends with its signal, and with an error that will not go away", { timeout: 5_000 }, async () => {
  const mock = new MockApi();
  for (const fetch of [mock.fetch, withoutControl(mock)]) {
    const client = new CallerIdClient(connection(mock, fetch));
    const request = await client.create({ phoneNumber: NUMBER });
    const aborted = new AbortController();
    const validated = client.waitUntilValidated(request, { signal: aborted.signal });
    validated.catch(() => {});
    await settle();
    aborted.abort(new Error("left the page"));
    await assert.rejects(validated, /left the page/);
    await assert.rejects(client.waitUntilValidated(request, { signal: AbortSignal.abort(new Error("gone")) }), /gone/);
    await assert.rejects(client.waitUntilValidated(request, { signal: AbortSignal.timeout(10) }), { name: "TimeoutError" });
    const wrong = new CallerIdClient({ ...connection(mock, fetch), authToken: "wrong" });
    await assert.rejects(wrong.waitUntilValidated(request), { code: 20003 });
  }
});

/** Answers with the given responses, and then as the mock. Counts the requests. */
function answering(mock, ...responses) {
  const fetch = async (url, init) => {
    fetch.count++;
    const [status, retryAfter] = responses.shift() ?? [];
    if (status === undefined) return mock.fetch(url, init);
    const body = `<TwilioResponse><RestException><Status>${status}</Status><Message>no</Message></RestException></TwilioResponse>`;
    return new Response(body, { status, headers: { "content-type": "application/xml", ...(retryAfter !== undefined && { "retry-after": retryAfter }) } });
  };
  fetch.count = 0;
  return fetch;
}

test("retries repeats what is safe to repeat, after Retry-After", { timeout: 10_000 }, async () => {
  const mock = new MockApi({ seed: [{ phoneNumber: NUMBER }] });
  const started = Date.now();
  const fetch = answering(mock, [429, "1"], [503, new Date(Date.now() + 1_000).toUTCString()], [503, "0"]);
  const client = new CallerIdClient({ ...connection(mock, fetch), retries: 3 });
  const { items } = await client.list();
  assert.equal(fetch.count, 4);
  assert.ok(Date.now() - started >= 1_000);

  const without = answering(mock, [503]);
  await new CallerIdClient({ ...connection(mock, without), retries: 1 }).delete(items[0].sid);
  assert.equal(without.count, 2);
  const begun = Date.now();
  const malformed = answering(mock, [503, "soon"]);
  await new CallerIdClient({ ...connection(mock, malformed), retries: 1 }).list();
  assert.ok(Date.now() - begun >= 900);
  const control = answering(mock, [503, "0"]);
  assert.equal((await new CallControl({ ...connection(mock, control), retries: 1 }).calls()).length, 0);
});

test("retries does not repeat anything else, nor by default, nor longer than a minute", async () => {
  const mock = new MockApi();
  const rejects = async (options, status, send, ...responses) => {
    const fetch = answering(mock, ...responses);
    await assert.rejects(send(new CallerIdClient({ ...connection(mock, fetch), ...options })), (error) => error instanceof RestException && error.status === status);
    return fetch.count;
  };
  const list = (client) => client.list();
  assert.equal(await rejects({}, 503, list, [503, "0"]), 1);
  assert.equal(await rejects({ retries: 2 }, 503, list, [503, "0"], [429, "0"], [503, "0"]), 3);
  assert.equal(await rejects({ retries: 2 }, 500, list, [500, "0"]), 1);
  assert.equal(await rejects({ retries: 2 }, 503, list, [503, "61"]), 1);
  assert.equal(await rejects({ retries: 2 }, 503, (client) => client.create({ phoneNumber: NUMBER }), [503, "0"]), 1);
  assert.equal(await rejects({ retries: 2 }, 429, (client) => client.update(`PN${"0".repeat(32)}`, { friendlyName: "" }), [429, "0"]), 1);
  for (const options of [{ retries: -1 }, { retries: "x" }, { timeout: 0 }, { timeout: "x" }]) assert.throws(() => new CallerIdClient({ ...connection(mock), ...options }), RangeError);
  // The wait ends with the signal.
  const client = new CallerIdClient({ ...connection(mock, answering(mock, [503, "30"])), retries: 1 });
  await assert.rejects(client.list({}, { signal: AbortSignal.timeout(10) }), { name: "TimeoutError" });
});

test("timeout limits each request, including its body, but not a stream", { timeout: 5_000 }, async () => {
  const mock = new MockApi();
  const never = (url, { signal }) => new Promise((_, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  await assert.rejects(new CallerIdClient({ ...connection(mock, never), timeout: 10 }).list(), { name: "TimeoutError" });
  const slow = async (url, { signal }) => new Response(new ReadableStream({ start: (body) => signal.addEventListener("abort", () => body.error(signal.reason)) }));
  await assert.rejects(new CallerIdClient({ ...connection(mock, slow), timeout: 10 }).list(), { name: "TimeoutError" });
  const aborted = new CallerIdClient({ ...connection(mock, never), timeout: 1_000 }).list({}, { signal: AbortSignal.abort(new Error("gone")) });
  await assert.rejects(aborted, /gone/);
  const events = new CallControl({ ...connection(mock), timeout: 10 }).events();
  const next = events.next();
  await sleep(50);
  await new CallerIdClient(connection(mock)).create({ phoneNumber: NUMBER });
  assert.equal((await next).value.type, "call");
  mock.free();
});

test("baseUrl can have a path, and a proxy there can add the credentials", { timeout: 5_000 }, async () => {
  const rows = Array.from({ length: 3 }, (_, index) => ({ phoneNumber: `415867530${index}` }));
  const mock = new MockApi({ seed: rows, validationCode: CODE });
  const authorization = `Basic ${btoa(`${mock.accountSid}:${mock.authToken}`)}`;
  const fetch = (url, { headers, ...init }) => {
    const { origin, pathname, search } = new URL(url);
    assert.equal(origin, "https://app.example");
    assert.match(pathname, /^\/api\/v1\/(2010-04-01|_callerid)\//);
    assert.deepEqual(Object.keys(headers).filter((name) => name.toLowerCase() === "authorization"), []);
    return mock.fetch(`http://x${pathname.replace("/api/v1", "")}${search}`, { ...init, headers: { ...headers, authorization } });
  };
  for (const baseUrl of ["https://app.example/api/v1", new URL("https://app.example/api/v1/")]) {
    const client = new CallerIdClient({ accountSid: mock.accountSid, baseUrl, fetch, apiVersion: "2010-04-01" });
    const numbers = [];
    for await (const { phoneNumber } of client.listAll({ pageSize: 1 })) numbers.push(phoneNumber);
    assert.equal(numbers.length, 3);
    const validated = client.waitUntilValidated(await client.create({ phoneNumber: NUMBER }));
    (await mock.phone(NUMBER).rings()).answer().press(CODE);
    await client.delete((await validated).sid);
    assert.ok((await new CallControl({ accountSid: mock.accountSid, baseUrl, fetch }).calls()).length > 0);
  }
  for (const baseUrl of ["https://app.example/a?b", "https://app.example/a#b", "https://app.example//a"]) {
    assert.throws(() => new CallerIdClient({ ...connection(mock), baseUrl }), RangeError);
  }
});
