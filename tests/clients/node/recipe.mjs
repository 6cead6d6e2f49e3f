import twilio from "twilio";

const { CALLERID_URL, CALLERID_ACCOUNT_SID, CALLERID_AUTH_TOKEN } = process.env;

class LocalRequestClient extends twilio.RequestClient {
  request(options) {
    const uri = options.uri.replace("https://api.twilio.com", CALLERID_URL);
    return super.request({ ...options, uri });
  }
}

const client = twilio(CALLERID_ACCOUNT_SID, CALLERID_AUTH_TOKEN, {
  httpClient: new LocalRequestClient(),
});

const request = await client.validationRequests.create({ phoneNumber: "+14158675309" });
console.log(request.callSid, request.validationCode);
