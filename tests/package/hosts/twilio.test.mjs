// Twilio's own SDK against the mock, by the README's MSW recipe: its requests end.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { http } from "msw";
import { setupServer } from "msw/node";
import twilio from "twilio";
import { MockApi } from "callerid";

const mock = new MockApi({ validationCode: "012345" });
const server = setupServer(http.all("https://api.twilio.com/*", ({ request }) => mock.fetch(request)));
before(() => server.listen({ onUnhandledRequest: "error" }));
after(() => server.close());

test("Twilio's SDK creates, lists, renames and deletes", { timeout: 10_000 }, async () => {
  const client = twilio(mock.accountSid, mock.authToken);
  const request = await client.validationRequests.create({ phoneNumber: "+14158675309" });
  assert.equal(request.validationCode, "012345");
  (await mock.phone("+14158675309").rings()).answer().press(request.validationCode);
  const [{ sid, phoneNumber }] = await client.outgoingCallerIds.list();
  assert.equal(phoneNumber, "+14158675309");
  const renamed = await client.outgoingCallerIds(sid).update({ friendlyName: "Bob" });
  assert.equal(renamed.friendlyName, "Bob");
  assert.equal(await client.outgoingCallerIds(sid).remove(), true);
  await assert.rejects(client.outgoingCallerIds(sid).fetch(), { status: 404, code: 20404 });
});
