// Plays ../scenario.json with a release of the npm package: node scenario.mjs twilio

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [name] = process.argv.slice(2);
const twilio = (await import(name)).default;
const { version } = createRequire(import.meta.url)(`${name}/package.json`);

const { CALLERID_URL: url, CALLERID_ACCOUNT_SID: accountSid, CALLERID_AUTH_TOKEN: authToken } = process.env;

class LocalRequestClient extends twilio.RequestClient {
  request(options) {
    return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", url) });
  }
}

const clientWith = (token) => twilio(accountSid, token, { httpClient: new LocalRequestClient() });

/** The state of each number: `callSid` and `code` after it was created, `sid` after it was listed. */
const known = new Map();

/** The callbacks received, by the Sid of their call. */
const callbacks = new Map();
const receiver = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  const callback = {
    method: request.method,
    url: `http://${request.headers.host}${request.url}`,
    signature: request.headers["x-twilio-signature"],
    query: Object.fromEntries(new URL(request.url, url).searchParams),
    form: Object.fromEntries(new URLSearchParams(body)),
  };
  callbacks.set(callback.form.CallSid ?? callback.query.CallSid, callback);
  response.writeHead(204).end();
});
await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));
const callbackUrl = `http://127.0.0.1:${receiver.address().port}/callback?from=node`;

/** Plays the phone over the control surface, for which the package has no method. */
async function phone(number, action, form) {
  const response = await fetch(`${url}/_callerid/calls/${known.get(number).callSid}/${action}`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}` },
    body: form && new URLSearchParams(form),
  });
  assert.equal(response.status, 200, await response.text());
}

function checkCallerId(callerId, number) {
  assert.match(callerId.sid, /^PN[0-9a-f]{32}$/);
  assert.equal(callerId.accountSid, accountSid);
  assert.equal(callerId.phoneNumber, number);
  assert.ok(callerId.dateCreated instanceof Date && !Number.isNaN(callerId.dateCreated.valueOf()));
  assert.ok(callerId.dateUpdated >= callerId.dateCreated);
}

const play = {
  async create(client, step) {
    const request = await client.validationRequests.create({
      phoneNumber: step.phone_number,
      friendlyName: step.friendly_name,
      callDelay: step.call_delay,
      statusCallback: step.status_callback_method && callbackUrl,
      statusCallbackMethod: step.status_callback_method,
    });
    assert.equal(request.accountSid, accountSid);
    assert.equal(request.phoneNumber, step.phone_number);
    assert.equal(request.friendlyName, step.friendly_name ?? null);
    assert.match(request.callSid, /^CA[0-9a-f]{32}$/);
    assert.match(request.validationCode, /^[0-9]{6}$/);
    known.set(step.phone_number, { callSid: request.callSid, code: request.validationCode });
  },

  async validate(_, { of }) {
    await phone(of, "answer");
    await phone(of, "digits", { Digits: known.get(of).code });
  },

  async busy(_, { of }) {
    await phone(of, "busy");
  },

  async callback(_, step) {
    const { callSid } = known.get(step.of);
    const late = Date.now() + 10_000;
    while (!callbacks.has(callSid)) {
      assert.ok(Date.now() < late, "no callback came within 10 seconds");
      await new Promise((slept) => setTimeout(slept, 20));
    }
    const { method, url, signature, query, form } = callbacks.get(callSid);
    assert.equal(method, step.method);
    assert.equal(query.from, "node");
    const said = method === "POST" ? form : query;
    assert.equal(said.AccountSid, accountSid);
    assert.equal(said.To, step.of);
    assert.equal(said.VerificationStatus, step.verification_status);
    assert.equal(/^PN[0-9a-f]{32}$/.test(said.OutgoingCallerIdSid), said.VerificationStatus === "success");
    assert.ok(twilio.validateRequest(authToken, signature, url, form), "the signature is refused");
    assert.ok(!twilio.validateRequest("another token", signature, url, form), "any signature is accepted");
  },

  async list(client, step) {
    const filter = {
      phoneNumber: step.phone_number,
      friendlyName: step.friendly_name,
      pageSize: step.page_size,
    };
    const paged = [];
    let pages = 0;
    for (let page = await client.outgoingCallerIds.page(filter); page; page = await page.nextPage()) {
      pages += 1;
      paged.push(...page.instances);
    }
    const listed = await client.outgoingCallerIds.list(filter);
    for (const callerId of paged) {
      checkCallerId(callerId, callerId.phoneNumber);
      known.get(callerId.phoneNumber).sid = callerId.sid;
    }
    assert.deepEqual(paged.map((callerId) => callerId.phoneNumber).sort(), step.finds);
    assert.deepEqual(listed.map((callerId) => callerId.sid), paged.map((callerId) => callerId.sid));
    assert.equal(pages, step.pages);
  },

  async fetch(client, step) {
    const callerId = await client.outgoingCallerIds(step.sid ?? known.get(step.of).sid).fetch();
    checkCallerId(callerId, step.of);
    assert.equal(callerId.friendlyName, step.friendly_name);
  },

  async rename(client, step) {
    const { sid } = known.get(step.of);
    const callerId = await client.outgoingCallerIds(sid).update({ friendlyName: step.friendly_name });
    checkCallerId(callerId, step.of);
    assert.equal(callerId.friendlyName, step.friendly_name);
  },

  async delete(client, step) {
    assert.equal(await client.outgoingCallerIds(known.get(step.of).sid).remove(), true);
  },
};

async function playStep(step) {
  const client = clientWith(step.auth_token ?? authToken);
  const played = play[step.do](client, step);
  if (!step.refused) return played;
  await assert.rejects(played, (error) => {
    if (twilio.RestException) assert.ok(error instanceof twilio.RestException, error);
    const { status, code, moreInfo } = error;
    assert.deepEqual({ status, code }, step.refused);
    assert.equal(moreInfo, `https://www.twilio.com/docs/errors/${code}`);
    return true;
  });
}

const { steps } = JSON.parse(await readFile(new URL("../scenario.json", import.meta.url)));
for (const [index, step] of steps.entries()) {
  try {
    await playStep(step);
  } catch (error) {
    console.error(`twilio ${version} for Node, step ${index + 1}: ${JSON.stringify(step)}`);
    throw error;
  }
}
receiver.close();
console.log(`twilio ${version} for Node: ${steps.length} steps passed`);
