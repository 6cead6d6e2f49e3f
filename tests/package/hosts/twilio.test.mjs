// Twilio's own SDK with the mock, as in the README's MSW recipe. With MSW 2, the SDK hangs if there is no Content-Length.

import assert from "node:assert/strict";
import { test } from "node:test";
import twilio from "twilio";
import { MockApi } from "callerid/mock";

for (const msw of ["msw", "msw-2"]) {
  test(`requests of Twilio's SDK complete with ${msw}`, { timeout: 10_000 }, async () => {
    const [{ http }, { setupServer }] = [await import(msw), await import(`${msw}/node`)];
    const mock = new MockApi({ validationCode: "012345" });
    const server = setupServer(http.all("https://api.twilio.com/*", ({ request }) => mock.fetch(request)));
    server.listen({ onUnhandledRequest: "error" });
    try {
      await validate(mock);
    } finally {
      server.close();
    }
  });
}

async function validate(mock) {
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
}
