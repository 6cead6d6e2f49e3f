// Sends requests for all operations on caller IDs in an OpenAPI description, and checks every response against the
// description's schema: node check.mjs twilio_api_v2010.json
//
// Twilio's schemas require no properties and forbid none. This check requires exactly the properties that are
// described.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import Ajv from "ajv";

const [path] = process.argv.slice(2);
const description = JSON.parse(await readFile(path, "utf8"));
const { CALLERID_URL: url, CALLERID_ACCOUNT_SID: AccountSid, CALLERID_AUTH_TOKEN: authToken } = process.env;

const ajv = new Ajv({
  allErrors: true,
  strictTypes: false,
  strictTuples: false,
  // An unknown format is an error, not a warning.
  validateFormats: true,
  formats: {
    "date-time-rfc-2822": /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$/,
    "phone-number": /^\+[1-9]\d{1,14}$/,
    // The description's examples are relative to its server.
    uri: (text) => URL.canParse(text, "https://api.twilio.com") && !/[\s"<>]/.test(text),
  },
});
ajv.addVocabulary(["x-twilio", "example"]);

/** Resolves the references of a schema, requires all its properties and forbids others. */
function closed(schema) {
  if (schema.$ref) {
    const segments = schema.$ref.replace("#/", "").split("/");
    return closed(segments.reduce((value, segment) => value[segment], description));
  }
  const copy = { ...schema };
  if (copy.items) copy.items = closed(copy.items);
  if (copy.properties) {
    const entries = Object.entries(copy.properties).map(([name, property]) => [name, closed(property)]);
    copy.properties = Object.fromEntries(entries);
    copy.required = Object.keys(copy.properties);
    copy.additionalProperties = false;
  }
  return copy;
}

/** The operations on caller IDs by name, each with the parameters that no request has used yet. */
const operations = new Map();
for (const [template, item] of Object.entries(description.paths)) {
  if (!template.includes("/OutgoingCallerIds")) continue;
  for (const method of ["get", "put", "post", "delete", "patch"]) {
    const operation = item[method];
    if (!operation) continue;
    const form = operation.requestBody?.content["application/x-www-form-urlencoded"].schema.properties ?? {};
    const query = operation.parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
    const schemas = new Map();
    for (const [status, { content }] of Object.entries(operation.responses)) {
      const schema = content?.["application/json"].schema;
      schemas.set(Number(status), schema && ajv.compile(closed(schema)));
    }
    const unasked = new Set([...query, ...Object.keys(form)]);
    operations.set(operation.operationId, { template, method, query, form, schemas, unasked, answers: 0 });
  }
}

let refusals = 0;

/** Sends a request for an operation, and checks the response against the description. */
async function ask(operationId, { path = {}, query = {}, form, status = 200, password = authToken } = {}) {
  const operation = operations.get(operationId);
  assert.ok(operation, `the description has no operation ${operationId}`);
  for (const name of Object.keys(query)) assert.ok(operation.query.includes(name), `${operationId}: ?${name}`);
  for (const name of Object.keys(form ?? {})) assert.ok(name in operation.form, `${operationId}: ${name}`);
  const places = { AccountSid, ...path };
  const target = new URL(operation.template.replace(/\{(\w+)\}/g, (_, name) => places[name]), url);
  target.search = new URLSearchParams(query);
  const response = await fetch(target, {
    method: operation.method.toUpperCase(),
    headers: { authorization: `Basic ${btoa(`${AccountSid}:${password}`)}` },
    body: form && new URLSearchParams(form),
  });
  const body = await response.text();
  const where = `${operationId} ${JSON.stringify({ query, form })}: ${response.status} ${body}`;
  assert.equal(response.status, status, where);
  assert.equal(response.headers.get("access-control-allow-origin"), "*", where);
  if (!operation.schemas.has(status)) {
    checkRefusal(response, body, where);
    return undefined;
  }
  operation.answers += 1;
  for (const name of [...Object.keys(query), ...Object.keys(form ?? {})]) operation.unasked.delete(name);
  const isValid = operation.schemas.get(status);
  if (!isValid) {
    assert.equal(body, "", where);
    return undefined;
  }
  assert.equal(response.headers.get("content-type"), "application/json", where);
  const answer = JSON.parse(body);
  assert.ok(isValid(answer), `${where}\n${ajv.errorsText(isValid.errors, { separator: "\n" })}`);
  return answer;
}

/** Checks an error against Twilio's documentation, because the description has none. */
function checkRefusal(response, body, where) {
  refusals += 1;
  const { code, message, more_info, status, ...others } = JSON.parse(body);
  assert.equal(response.headers.get("content-type"), "application/json", where);
  assert.deepEqual(others, {}, where);
  assert.equal(status, response.status, where);
  assert.ok(Number.isInteger(code) && message, where);
  assert.equal(more_info, `https://www.twilio.com/docs/errors/${code}`, where);
}

/** Keys the code of a request on the phone. */
async function validate({ call_sid, validation_code }) {
  const headers = { authorization: `Basic ${btoa(`${AccountSid}:${authToken}`)}` };
  const call = `${url}/_callerid/calls/${call_sid}`;
  const answered = await fetch(`${call}/answer`, { method: "POST", headers });
  assert.equal(answered.status, 200);
  const body = new URLSearchParams({ Digits: validation_code });
  const keyed = await fetch(`${call}/digits`, { method: "POST", headers, body });
  assert.equal(keyed.status, 200);
}

await ask("ListOutgoingCallerId");
for (const last of ["09", "10", "11"]) {
  const PhoneNumber = `+141586753${last}`;
  await validate(await ask("CreateValidationRequest", { form: { PhoneNumber, FriendlyName: `No. ${last}` } }));
}
await ask("CreateValidationRequest", { form: { PhoneNumber: "+14158675312" } });
for (const StatusCallbackMethod of ["GET", "POST"]) {
  const form = { PhoneNumber: "+14158675313", FriendlyName: "Später", CallDelay: "60", Extension: "w12" };
  const StatusCallback = "https://example.com/callback?x=1";
  await ask("CreateValidationRequest", { form: { ...form, StatusCallback, StatusCallbackMethod } });
}

const all = await ask("ListOutgoingCallerId");
assert.equal(all.outgoing_caller_ids.length, 3);
let query = { PageSize: "1", Page: "0" };
let pages = 0;
while (query) {
  const page = await ask("ListOutgoingCallerId", { query });
  pages += 1;
  query = page.next_page_uri && Object.fromEntries(new URL(page.next_page_uri, url).searchParams);
}
assert.equal(pages, 3);
for (const query of [{ PhoneNumber: "+14158675309" }, { FriendlyName: "No. 09" }, { FriendlyName: "nobody" }]) {
  await ask("ListOutgoingCallerId", { query });
}

const [{ sid: Sid }] = all.outgoing_caller_ids;
await ask("FetchOutgoingCallerId", { path: { Sid } });
for (const FriendlyName of ["Renamed \"&<é", ""]) {
  await ask("UpdateOutgoingCallerId", { path: { Sid }, form: { FriendlyName } });
}
await ask("DeleteOutgoingCallerId", { path: { Sid }, status: 204 });

for (const form of [{}, { PhoneNumber: "banana" }, { PhoneNumber: all.outgoing_caller_ids[1].phone_number }]) {
  await ask("CreateValidationRequest", { form, status: 400 });
}
await ask("CreateValidationRequest", { form: { PhoneNumber: "+14158675314", CallDelay: "999" }, status: 400 });
await ask("UpdateOutgoingCallerId", { path: { Sid }, form: {}, status: 400 });
await ask("ListOutgoingCallerId", { query: { PageSize: "5000" }, status: 400 });
await ask("ListOutgoingCallerId", { query: { PageToken: "banana" }, status: 400 });
await ask("ListOutgoingCallerId", { password: "not the token", status: 401 });
await ask("FetchOutgoingCallerId", { path: { Sid }, status: 404 });
await ask("UpdateOutgoingCallerId", { path: { Sid }, form: { FriendlyName: "x" }, status: 404 });
await ask("DeleteOutgoingCallerId", { path: { Sid }, status: 404 });

for (const [operationId, { answers, unasked }] of operations) {
  assert.ok(answers > 0, `${operationId} was not asked for`);
  assert.deepEqual([...unasked], [], `${operationId} was not asked for with these`);
  console.log(`${operationId}: ${answers} ${answers === 1 ? "answer is" : "answers are"} as described`);
}
console.log(`${refusals} refusals, which are not described, have Twilio's form`);
