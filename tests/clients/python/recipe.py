import os

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client


class LocalHttpClient(TwilioHttpClient):
    def request(self, method, url, *args, **kwargs):
        url = url.replace("https://api.twilio.com", os.environ["CALLERID_URL"])
        return super().request(method, url, *args, **kwargs)


client = Client(
    os.environ["CALLERID_ACCOUNT_SID"],
    os.environ["CALLERID_AUTH_TOKEN"],
    http_client=LocalHttpClient(),
)

request = client.validation_requests.create(phone_number="+14158675309")
print(request.call_sid, request.validation_code)
