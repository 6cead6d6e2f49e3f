// Sends the same requests to `callerid serve` and to the mock. Status, headers and bytes of all responses must be the same.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { answered, freePort, inTemporaryFolder, PROGRAM, run, whileRunning } from "./harness.mjs";


/** Headers to ignore: those of the connection, and `vary`, because only the server compresses. */
const CONNECTION_HEADERS = ["connection", "date", "keep-alive", "transfer-encoding", "vary"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
const VERSIONS = ["2008-08-01", "2010-04-01"];
const EXTENSIONS = ["", ".xml", ".json", ".csv", ".html", ".txt"];
const EVENTS = "/_callerid/events";
const FORM = "application/x-www-form-urlencoded";

export async function mockIsServer() {
  // Imported here, because `run.mjs` installs the package first.
  const { MockApi } = await import("callerid/mock");
  await inTemporaryFolder(async (folder) => {
    const { stdout } = await run(PROGRAM, ["account", "--data", folder, "add"]);
    const [, accountSid] = /AccountSid\s+(\w+)/.exec(stdout);
    const [, authToken] = /AuthToken\s+(\w+)/.exec(stdout);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await whileRunning(PROGRAM, ["serve", "--test", "--data", folder, "--listen", `127.0.0.1:${port}`, "--log", "off"], async () => {
      await answered(url);
      const mock = new MockApi({ accountSid, authToken });
      const [ofServer, ofMock] = [await play(serverAt(port), accountSid, authToken), await play(overFetch(mock.fetch), accountSid, authToken)];
      mock.free();
      const different = ofServer.flatMap((exchange, index) => difference(exchange, ofMock[index]));
      assert.equal(different.length, 0, `${different.length} of ${ofServer.length} differ:\n\n${different.slice(0, 20).join("\n\n")}`);
      assert.equal(ofServer.length, ofMock.length);
      console.log(`        ${ofServer.length} requests`);
    });
  });
}

/** Describes the difference between two exchanges, if any. */
function difference(ofServer, ofMock) {
  try {
    assert.deepEqual(ofMock, ofServer);
  } catch (error) {
    return [`${JSON.stringify(ofServer.request).slice(0, 500)}\n${error.message}`];
  }
  return [];
}

/** Sends requests with node:http, which adds and decodes nothing. */
const serverAt = (port) => ({ method, path, headers, body }) =>
  new Promise((resolve, reject) => {
    const sent = httpRequest({ port, method, path, headers, agent: false }, async (response) => {
      const { statusCode: status, headers } = response;
      resolve({ status, headers: Object.entries(headers), body: await read(response, headers["content-type"]) });
    });
    sent.once("error", reject).end(body);
  });

const overFetch = (fetch) => async ({ path, ...init }) => {
  const response = await fetch(`http://localhost${path}`, init);
  return { status: response.status, headers: [...response.headers], body: await read(response.body ?? [], response.headers.get("content-type")) };
};

/** Reads a body to its end. Reads an event stream, which does not end, for a short time. */
async function read(body, type) {
  const chunks = [];
  const whole = (async () => {
    for await (const chunk of body) chunks.push(chunk);
  })();
  await (type === "text/event-stream" ? Promise.race([whole, sleep(300)]) : whole);
  whole.catch(() => {});
  body.destroy?.();
  return Buffer.concat(chunks).toString("latin1");
}

/** Sends all requests to a host. Returns the exchanges, with random values such as Sids replaced. */
async function play(send, accountSid, authToken) {
  const right = basic(accountSid, authToken);
  const exchanges = [];
  const names = new Map();
  const nameOf = (sid) => names.get(sid) ?? names.set(sid, sid.startsWith("RQ") ? "RQ" : `${sid.slice(0, 2)}${names.size}`).get(sid);
  const normalize = (text) =>
    text
      .replace(/\b(?:CA|PN|RQ)[0-9a-f]{32}/g, nameOf)
      .replace(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, "date")
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "date")
      .replace(/(validation[-_]?code\W+|^Digits=)\d{6}/gi, "$1code")
      .replace(/(PageToken=)[\w%-]+/g, "$1token");

  /** Sends a request, by default with the right credentials. */
  const ask = async (method, path, { form, type = form === undefined ? undefined : FORM, body = form, headers = {}, authorization = right } = {}) => {
    const all = { ...(type && { "content-type": type }), ...(authorization !== null && { authorization }), ...headers };
    const response = await send({ method, path, headers: all, body });
    const kept = response.headers.filter(([name]) => !CONNECTION_HEADERS.includes(name)).sort();
    exchanges.push({
      request: { method, path: normalize(path), headers: all, body: body === undefined ? body : normalize(String(body)) },
      response: { status: response.status, headers: Object.fromEntries(kept.map(([name, value]) => [name, normalize(value)])), body: normalize(response.body) },
    });
    // Calls of the same millisecond have no order.
    if (method === "POST") await sleep(2);
    return response.body;
  };

  const listOf = (version, account = accountSid) => `/${version}/Accounts/${account}/OutgoingCallerIds`;
  const newest = async () => JSON.parse(await ask("GET", "/_callerid/calls")).calls[0].call_sid;

  // Empty lists.
  for (const version of VERSIONS) {
    for (const extension of EXTENSIONS) await ask("GET", listOf(version) + extension);
    for (const page of [0, 1, "x", "-1", "18446744073709551616"]) await ask("GET", `${listOf(version)}?Page=${page}`);
  }

  // Validate three numbers, a second apart, because lists are ordered by seconds.
  const sids = [];
  for (const [index, name] of ["Bob", "<Bücher> & Söhne, 📚", undefined].entries()) {
    if (index > 0) await sleep(1_050);
    const version = VERSIONS[index % 2];
    const form = { PhoneNumber: `415-867-531${index}`, ...(name && { FriendlyName: name }) };
    const created = await ask("POST", `${listOf(version)}.json`, { form: String(new URLSearchParams(form)) });
    const [, code] = /validation_?code\W+(\d{6})/i.exec(created);
    const call = `/_callerid/calls/${await newest()}`;
    await ask("POST", `${call}/digits`, { form: "Digits=1" });
    await ask("POST", `${call}/answer`);
    await ask("POST", `${call}/answer`);
    await ask("POST", `${call}/digits`, { form: "Digits=12x" });
    await ask("POST", `${call}/digits`);
    await ask("POST", `${call}/digits`, { form: `Digits=${code === "000000" ? "111111" : "000000"}` });
    await ask("POST", `${call}/digits`, { form: `Digits=${code}` });
    await ask("POST", `${call}/hangup`);
    await ask("GET", call);
    const list = JSON.parse(await ask("GET", `${listOf("2010-04-01")}.json`));
    sids.push(list.outgoing_caller_ids[0].sid);
  }
  const [sid] = sids;
  const unknown = `PN${"0".repeat(32)}`;

  // All methods for all paths, and for many that do not exist. Deletions come last.
  for (const version of [...VERSIONS, "2009-01-01"]) {
    const list = listOf(version);
    const paths = EXTENSIONS.flatMap((extension) => [list + extension, `${list}/${unknown}${extension}`]);
    paths.push(`${list}/`, `${list}/PN1`, `${list}/${sid}/x`, `/${version}`, `/${version}/Accounts/${accountSid}`, `/${version}/Accounts/AC1/OutgoingCallerIds.json`);
    for (const path of paths) for (const method of METHODS) await ask(method, path);
    for (const extension of EXTENSIONS) {
      for (const method of METHODS) if (method !== "DELETE") await ask(method, `${list}/${sid}${extension}`);
    }
  }
  for (const path of ["//", "/_callerid", "/_callerid/", "/_callerid/x", "/%5f", "/a%2fb", "/x.json?y", `/_callerid/calls/CA${"0".repeat(32)}`, `/_callerid/calls/CA${"0".repeat(32)}/answer`]) {
    for (const method of METHODS) await ask(method, path);
  }
  for (const resource of ["health", "calls", "callbacks", "events"]) {
    for (const method of METHODS) await ask(method, `/_callerid/${resource}`);
    await ask("GET", `/_callerid/${resource}`, { authorization: null });
    await ask("HEAD", `/_callerid/${resource}`, { authorization: null });
  }
  for (const last of ["0", "1", "999999", "x", ""]) await ask("GET", EVENTS, { headers: { "last-event-id": last } });

  // Credentials.
  const other = `AC${"0".repeat(32)}`;
  const wrong = [null, "", "Basic", "Basic !", "Bearer x", basic(accountSid, "x"), basic(other, authToken), basic(accountSid, ""), `basic ${right.slice(6)}`, `${right} `, `${right}=`, basic("é", "é"), "Basic \xe9"];
  for (const authorization of wrong) {
    for (const path of [`${listOf("2008-08-01")}.json`, `${listOf("2010-04-01")}/${sid}`, "/_callerid/calls"]) {
      for (const method of ["GET", "HEAD", "POST"]) await ask(method, path, { authorization });
    }
  }
  for (const version of VERSIONS) for (const method of ["GET", "POST"]) await ask(method, listOf(version, other));

  // Parameters of lists.
  const pages = ["Page=1&PageSize=1", "PageSize=2", "PageSize=0", "PageSize=1001", "PageSize=x", "page=1&num=2", "num=1", "Page=", "PageSize=", "Page=1&Page=2", "Page=3", "PageToken=x", "PageToken=", "PageToken=PA1&Page=1"];
  const filters = ["PhoneNumber=4158675310", "PhoneNumber=%2B14158675310", "PhoneNumber=x", "PhoneNumber=", "FriendlyName=Bob", "FriendlyName=bob", "FriendlyName=%3CB%C3%BCcher%3E+%26+S%C3%B6hne%2C+%F0%9F%93%9A", "FriendlyName=%ff", "FriendlyName=%", "Unknown=1", "&&", "=", "FriendlyName=Bob&PageSize=1", "Page=0&PhoneNumber=415-867-5311&PageSize=1"];
  for (const version of VERSIONS) {
    for (const query of [...pages, ...filters]) for (const extension of ["", ".json", ".csv"]) await ask("GET", `${listOf(version)}${extension}?${query}`);
    for (const query of pages) await ask("HEAD", `${listOf(version)}?${query}`);
  }
  const first = JSON.parse(await ask("GET", `${listOf("2010-04-01")}.json?PageSize=1`));
  const second = JSON.parse(await ask("GET", first.next_page_uri));
  await ask("GET", second.next_page_uri);
  await ask("GET", second.previous_page_uri);

  // Forms and their types.
  const forms = [
    "", "PhoneNumber=", "PhoneNumber=x", "PhoneNumber=555", "PhoneNumber=4158675310", "PhoneNumber=415-867-5320", "PhoneNumber=415-867-5321+x7", "PhoneNumber=%2B442079460000",
    "PhoneNumber=4158675322&FriendlyName=", `PhoneNumber=4158675323&FriendlyName=${"x".repeat(65)}`, "PhoneNumber=4158675324&FriendlyName=%00", "PhoneNumber=4158675325&FriendlyName=%ff", "PhoneNumber=4158675326&PhoneNumber=4158675327",
    "PhoneNumber=4158675328&CallDelay=60", "PhoneNumber=4158675329&CallDelay=61", "PhoneNumber=4158675330&CallDelay=-1", "PhoneNumber=4158675331&CallDelay=", "PhoneNumber=4158675332&CallDelay=x",
    "PhoneNumber=4158675333&Extension=1w2", "PhoneNumber=4158675334&Extension=x", "PhoneNumber=4158675336&StatusCallback=x", "PhoneNumber=4158675337&StatusCallback=https%3A%2F%2Fexample.com%2F&StatusCallbackMethod=PUT",
    "PhoneNumber=4158675338&StatusCallbackMethod=", "%", "PhoneNumber",
  ];
  for (const version of VERSIONS) {
    for (const form of forms) for (const extension of ["", ".json", ".html"]) await ask("POST", listOf(version) + extension, { form });
    for (const type of [null, "text/plain", "application/json", `${FORM}; charset=utf-8`, `${FORM.toUpperCase()};charset=latin1`, "multipart/form-data; boundary=x", "\xe9"]) {
      await ask("POST", listOf(version), { type, body: Buffer.from("PhoneNumber=4158675340") });
      await ask("POST", `${listOf(version)}/${sid}.json`, { type, body: Buffer.from("FriendlyName=Robert") });
    }
    for (const length of [65_536, 65_537]) for (const extension of ["", ".json"]) await ask("POST", listOf(version) + extension, { form: `PhoneNumber=${"4".repeat(length - 12)}` });
    for (const form of ["FriendlyName=Bob", "FriendlyName=", "FriendlyName=%00", "", "PhoneNumber=4158675310"]) {
      for (const method of ["POST", "PUT"]) await ask(method, `${listOf(version)}/${sid}.json`, { form });
    }
  }

  // A callback of a call that does not end, because only the server would send it.
  await ask("POST", listOf("2010-04-01"), { form: "PhoneNumber=4158675335&StatusCallback=https%3A%2F%2Fuser%3Apassword%40example.com%2F" });

  // The phone.
  for (const action of ["busy", "no-answer", "hangup", "x", "answer/x"]) {
    await ask("POST", listOf("2008-08-01"), { form: "PhoneNumber=4158675350" });
    await ask("POST", `/_callerid/calls/${await newest()}/${action}`, { form: "" });
  }
  await ask("GET", "/_callerid/calls");
  await ask("GET", "/_callerid/callbacks");

  for (const [index, deleted] of sids.entries()) {
    const path = `${listOf(VERSIONS[index % 2])}/${deleted}${EXTENSIONS[index]}`;
    await ask("DELETE", path);
    await ask("DELETE", path);
    await ask("HEAD", path);
  }

  // The control of tests, last, because it resets the account.
  for (const resource of ["seed", "snapshots", "clock", "clock/advance", "faults", "faults/1", "faults/1/release", "phones", "phones/*", "codes/4158675309", "caller_ids", "requests", `sandboxes/${accountSid}`, "reset"]) {
    for (const method of METHODS) await ask(method, `/_callerid/${resource}`);
    await ask("GET", `/_callerid/${resource}`, { authorization: null });
  }
  const documents = {
    seed: ['{"caller_ids":[{"phone_number":"4158675360","friendly_name":"Bob"}],"codes":{"4158675361":"042917"},"phones":{"*":"busy"}}', '{"caller_ids":[{"phone_number":"x"}]}', "{}x"],
    clock: ['{"now":"2008-04-01T18:26:32Z","frozen":false}', '{"now":"yesterday"}', "[]"],
    "clock/advance": ['{"seconds":600,"milliseconds":5}', '{"seconds":-1}'],
    faults: ['{"match":{"method":"GET","path":"*.json"},"times":2,"then":{"status":503,"code":20503,"message":"Later","retry_after":3}}', '{"then":{}}', '{"times":0,"then":{"hold":true}}'],
  };
  for (const [resource, bodies] of Object.entries(documents)) for (const body of bodies) await ask("POST", `/_callerid/${resource}`, { body });
  for (let time = 0; time < 3; time++) for (const version of VERSIONS) await ask("GET", `${listOf(version)}.json`);
  await ask("POST", listOf("2010-04-01"), { form: "PhoneNumber=4158675361" });
  await ask("POST", listOf("2010-04-01"), { form: "PhoneNumber=2125550171" });
  for (const resource of ["faults", "phones", "requests?since=4", "requests?since=x", "clock", "calls?status=busy", "calls?status=x", "calls?wait=61", "caller_ids?phone_number=2125550171&wait=1", "caller_ids?phone_number=4158675399&wait=1", "codes/4158675361"]) {
    await ask("GET", `/_callerid/${resource}`);
  }
  return exchanges;
}

function basic(user, password) {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
