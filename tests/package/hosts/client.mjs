// The package without the mock's .wasm, which would otherwise do the work of the other two.
import { CallerIdClient, CallDelay, FriendlyName, InvalidPhoneNumber, PhoneNumber, RestException, isRestException } from "callerid";
import assert from "node:assert/strict";

assert.equal(CallDelay.limit, 60);
assert.equal(FriendlyName.defaultFor(PhoneNumber.parse("415-867-5309")), "(415) 867-5309");
const missing = "<TwilioResponse><RestException><Status>404</Status><Message>no</Message></RestException></TwilioResponse>";
const fetch = async () => new Response(missing, { status: 404, headers: { "content-type": "application/xml" } });
const client = new CallerIdClient({ accountSid: `AC${"0".repeat(32)}`, authToken: "x", baseUrl: "http://x", fetch });
await assert.rejects(client.list({ phoneNumber: "(415) 867-5309" }), (error) => error instanceof RestException && isRestException(error) && error.status === 404);
await assert.rejects(client.create({ phoneNumber: "415-867-530" }), InvalidPhoneNumber);
console.log("callerid works");
