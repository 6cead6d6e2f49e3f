// Status callbacks of a mock, received by the test's own function.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import twilio from "twilio";
import { CallerIdClient } from "callerid";
import { MockApi } from "callerid/mock";
import { startServer } from "callerid/testing";
import { PROGRAM } from "./harness.mjs";

const NOW = new Date("2008-04-01T18:26:32Z");
const VERIFIES = "2125550171";
const CALLBACK = "https://user:secret@example.com/done?from=test";

/** A mock and a client, and what its receiver was sent. `answers` are the responses, in turn; then 204. */
function fresh(answers = [], options = {}) {
  const received = [];
  const onStatusCallback = async (request) => {
    received.push({ method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body: await request.text() });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? new Response(null, { status: 204 });
  };
  const mock = new MockApi({ onStatusCallback, ...options });
  const { accountSid, authToken, fetch } = mock;
  const client = new CallerIdClient({ accountSid, authToken, fetch, baseUrl: "http://callerid.test", apiVersion: "2010-04-01" });
  const control = async (method, path, document) => {
    const headers = { authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}` };
    const response = await mock.fetch(`http://callerid.test/_callerid/${path}`, { method, headers, body: document && JSON.stringify(document) });
    return response.json();
  };
  const told = async () => (await control("GET", "callbacks")).callbacks.map(({ status, attempts, last_status, last_error }) => ({ status, attempts, last_status, last_error }));
  return { mock, client, received, told, control };
}

test("a callback is signed as Twilio's helper library expects", async () => {
  for (const statusCallbackMethod of ["POST", "GET"]) {
    const { mock, client, received, told } = fresh();
    await client.create({ phoneNumber: VERIFIES, statusCallback: "https://example.com/done?from=test", statusCallbackMethod });
    await mock.calls.next({ status: "completed" });
    await mock.callbacksSent();
    const [{ method, url, headers, body }] = received;
    assert.equal(method, statusCallbackMethod);
    const parameters = method === "POST" ? Object.fromEntries(new URLSearchParams(body)) : {};
    const sent = method === "POST" ? parameters : Object.fromEntries(new URL(url).searchParams);
    assert.deepEqual([sent.To, sent.CallStatus, sent.VerificationStatus], [`+1${VERIFIES}`, "completed", "success"]);
    assert.equal(headers["content-type"], method === "POST" ? "application/x-www-form-urlencoded; charset=UTF-8" : undefined);
    assert.ok(twilio.validateRequest(mock.authToken, headers["x-twilio-signature"], url, parameters));
    assert.ok(!twilio.validateRequest("another", headers["x-twilio-signature"], url, parameters));
    assert.deepEqual(await told(), [{ status: "delivered", attempts: 1, last_status: 204, last_error: null }]);
  }
});

test("credentials go only to a receiver that asks for them", async () => {
  const challenge = new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="callbacks"' } });
  const { mock, client, received } = fresh([challenge]);
  await client.create({ phoneNumber: VERIFIES, statusCallback: CALLBACK });
  await mock.calls.next({ status: "completed" });
  await mock.callbacksSent();
  assert.deepEqual(received.map(({ headers }) => headers.authorization), [undefined, `Basic ${btoa("user:secret")}`]);
  assert.deepEqual(received.map(({ url }) => url), Array(2).fill("https://example.com/done?from=test"));
});

test("a callback that fails is sent again by the mock's clock, until it is given up", async () => {
  const failing = [new Response(null, { status: 503 }), new Error("no route"), ...Array.from({ length: 4 }, () => new Response(null, { status: 500 }))];
  const { mock, client, received, told, control } = fresh(failing);
  mock.clock.freeze(NOW);
  await client.create({ phoneNumber: VERIFIES, statusCallback: CALLBACK });
  await mock.callbacksSent();
  assert.deepEqual(await told(), [{ status: "pending", attempts: 1, last_status: 503, last_error: null }]);
  await control("POST", "clock/advance", { seconds: 5 });
  assert.deepEqual(await told(), [{ status: "pending", attempts: 2, last_status: null, last_error: "Error: no route" }]);
  // All others within one request, each at its own time.
  await control("POST", "clock/advance", { seconds: 10_000 });
  assert.equal(received.length, 6);
  assert.deepEqual(await told(), [{ status: "failed", attempts: 6, last_status: 500, last_error: null }]);
});

test("without a receiver callbacks wait, and a receiver set later gets them", async () => {
  const { mock, client, received, told } = fresh([], { onStatusCallback: undefined });
  await client.create({ phoneNumber: VERIFIES, statusCallback: CALLBACK });
  await mock.calls.next({ status: "completed" });
  await mock.callbacksSent();
  assert.deepEqual(await told(), [{ status: "pending", attempts: 0, last_status: null, last_error: null }]);
  // Without a response it counts as delivered.
  mock.onStatusCallback = (request) => void received.push(request.url);
  mock.clock.advance(0);
  await mock.callbacksSent();
  assert.deepEqual(received, ["https://example.com/done?from=test"]);
  assert.deepEqual(await told(), [{ status: "delivered", attempts: 1, last_status: 200, last_error: null }]);
});

test("with a test clock, advance sends what is due", async () => {
  const { mock, client, received } = fresh([new Response(null, { status: 500 })], { now: NOW });
  await client.create({ phoneNumber: VERIFIES, statusCallback: CALLBACK, callDelay: 10 });
  mock.advance(10_000);
  await mock.callbacksSent();
  assert.equal(received.length, 1);
  mock.advance(4_999);
  await mock.callbacksSent();
  assert.equal(received.length, 1);
  mock.advance(1);
  await mock.callbacksSent();
  assert.equal(received.length, 2);
});

test("a callback is the server's, byte for byte", async () => {
  const [ofServer, ofMock] = [[], []];
  const receiver = createServer(async (request, response) => {
    const { method, url, headers } = request;
    ofServer.push({ method, url: `http://${headers.host}${url}`, type: headers["content-type"], signature: headers["x-twilio-signature"], body: await text(request) });
    response.writeHead(503).end();
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const server = await startServer({ program: PROGRAM, args: ["--callback-allow", "127.0.0.1"] });
  try {
    const { url: baseUrl, accountSid, authToken } = server;
    const onStatusCallback = async (request) => {
      const { method, url, headers } = request;
      ofMock.push({ method, url, type: headers.get("content-type") ?? undefined, signature: headers.get("x-twilio-signature"), body: await request.text() });
      return new Response(null, { status: 503 });
    };
    const mock = new MockApi({ accountSid, authToken, onStatusCallback });
    const headers = { authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}` };
    const controlOf = (fetch) => async (method, path, document) => {
      const response = await fetch(`${baseUrl}/_callerid/${path}`, { method, headers, body: document && JSON.stringify(document) });
      assert.equal(response.status, 200);
      return response.json();
    };
    const [ofTheServer, ofTheMock] = [controlOf(fetch), controlOf(mock.fetch)];
    const client = new CallerIdClient({ accountSid, authToken, baseUrl, apiVersion: "2010-04-01" });
    const clock = { now: NOW.toISOString(), frozen: true };
    await ofTheServer("POST", "clock", clock);
    for (const [index, statusCallbackMethod] of ["POST", "GET"].entries()) {
      const statusCallback = `http://127.0.0.1:${receiver.address().port}/done?from=test&name=Zo%C3%AB`;
      await client.create({ phoneNumber: `${index + 2}125550171`, friendlyName: "Zoë", statusCallback, statusCallbackMethod });
    }
    // The first attempts, before the mock has the same contents.
    await ofTheServer("POST", "clock/advance", { seconds: 0 });
    assert.equal(ofServer.splice(0).length, 2);
    await ofTheMock("POST", "clock", clock);
    await ofTheMock("PUT", "snapshot", await ofTheServer("GET", "snapshot"));
    for (const control of [ofTheServer, ofTheMock]) await control("POST", "clock/advance", { seconds: 10_000 });

    const sorted = (sent) => sent.map((request) => JSON.stringify(request)).sort();
    assert.equal(ofServer.length, 10);
    assert.deepEqual(sorted(ofMock), sorted(ofServer));
    assert.deepEqual(await ofTheMock("GET", "callbacks"), await ofTheServer("GET", "callbacks"));
    mock.free();
  } finally {
    await server.stop();
    receiver.close();
  }
});
