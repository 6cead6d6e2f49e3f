// The check that every host runs: numbers, names, and a whole validation with the client and the mock.

/** Uses all parts of the package. Throws if one does not work. */
export async function check({ CallControl, CallerIdClient, FriendlyName, MockApi, PhoneNumber, RestException, parseResponse }) {
  is(PhoneNumber.parse("1 (415) 867.5309").toString(), "4158675309");
  is(PhoneNumber.parse("4158675309").national, "(415) 867-5309");
  is(PhoneNumber.check("415-555-121").reason, "too-short");
  is(PhoneNumber.normalizeAll(["１-800-FLOWERS", "none"]).join(), "8003569377,");
  is(FriendlyName.check("x".repeat(65)).reason, "too-long");

  const mock = new MockApi({ validationCode: "012345" });
  const options = { accountSid: mock.accountSid, authToken: mock.authToken, baseUrl: "http://callerid.test", fetch: mock.fetch };
  const client = new CallerIdClient(options);
  const request = await client.create({ phoneNumber: "(415) 867.5309", friendlyName: "Zoë <3" });
  is(request.validationCode, "012345");
  const call = await mock.phone("4158675309").rings();
  is(call.answer().press(request.validationCode).verificationStatus, "success");
  const page = await client.list({ friendlyName: "Zoë <3" });
  is(page.total, 1);
  is(page.items[0].phoneNumber, "4158675309");
  is(page.items[0].dateCreated instanceof Date, true);
  is(await page.next(), null);
  is((await client.update(page.items[0].sid, { friendlyName: "" })).friendlyName, "(415) 867-5309");
  const control = new CallControl(options);
  is((await control.calls())[0].status, "completed");
  for await (const change of control.events({ lastEventId: "0" })) if (change.type === "caller-id-updated") break;
  await client.delete(page.items[0].sid);
  try {
    await client.fetch(page.items[0].sid);
    throw new Error("a caller ID outlives its deletion");
  } catch (error) {
    if (!(error instanceof RestException)) throw error;
    is(error.status, 404);
  }
  is(parseResponse("<TwilioResponse><RestException><Status>404</Status><Message>no</Message></RestException></TwilioResponse>").type, "exception");
  mock.free();
  return "callerid works";
}

function is(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${JSON.stringify(expected)}, not ${JSON.stringify(actual)}`);
}
