"""Plays ../scenario.json with the PyPI package: python scenario.py"""

import json
import os
import re
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import twilio
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

URL = os.environ["CALLERID_URL"]
ACCOUNT_SID = os.environ["CALLERID_ACCOUNT_SID"]
AUTH_TOKEN = os.environ["CALLERID_AUTH_TOKEN"]

# The state of each number: its call's Sid and code after it was created, its caller ID's Sid after it was listed.
known = {}

# The callbacks received, by the Sid of their call.
callbacks = {}


class LocalHttpClient(TwilioHttpClient):
    def request(self, method, url, *args, **kwargs):
        return super().request(method, url.replace("https://api.twilio.com", URL), *args, **kwargs)


class Receiver(BaseHTTPRequestHandler):
    def receive(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        form = dict(urllib.parse.parse_qsl(body))
        callback = {
            "method": self.command,
            "url": f"http://{self.headers['Host']}{self.path}",
            "signature": self.headers["X-Twilio-Signature"],
            "query": query,
            "form": form,
        }
        callbacks[form.get("CallSid") or query.get("CallSid")] = callback
        self.send_response(204)
        self.end_headers()

    do_GET = do_POST = receive

    def log_message(self, *_):
        pass


receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
CALLBACK_URL = f"http://127.0.0.1:{receiver.server_port}/callback?from=python"


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def matches(found, pattern):
    if not re.fullmatch(pattern, found or ""):
        raise AssertionError(f"expected {pattern}, found {found!r}")


def phone(number, action, **form):
    """Plays the phone over the control surface, for which the package has no method."""
    address = f"{URL}/_callerid/calls/{known[number]['call_sid']}/{action}"
    request = urllib.request.Request(address, urllib.parse.urlencode(form).encode(), method="POST")
    credentials = urllib.request.HTTPPasswordMgrWithPriorAuth()
    credentials.add_password(None, URL, ACCOUNT_SID, AUTH_TOKEN, is_authenticated=True)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(credentials))
    with opener.open(request) as response:
        equal(response.status, 200)


def check_caller_id(caller_id, number):
    matches(caller_id.sid, "PN[0-9a-f]{32}")
    equal(caller_id.account_sid, ACCOUNT_SID)
    equal(caller_id.phone_number, number)
    equal(caller_id.date_created.utcoffset().total_seconds(), 0)
    equal(caller_id.date_updated >= caller_id.date_created, True)


def create(client, step):
    request = client.validation_requests.create(
        **given(step, "phone_number", "friendly_name", "call_delay", "status_callback_method"),
        **({"status_callback": CALLBACK_URL} if "status_callback_method" in step else {}),
    )
    equal(request.account_sid, ACCOUNT_SID)
    equal(request.phone_number, step["phone_number"])
    equal(request.friendly_name, step.get("friendly_name"))
    matches(request.call_sid, "CA[0-9a-f]{32}")
    matches(request.validation_code, "[0-9]{6}")
    known[step["phone_number"]] = {"call_sid": request.call_sid, "code": request.validation_code}


def validate(_, step):
    phone(step["of"], "answer")
    phone(step["of"], "digits", Digits=known[step["of"]]["code"])


def busy(_, step):
    phone(step["of"], "busy")


def callback(_, step):
    call_sid = known[step["of"]]["call_sid"]
    late = time.monotonic() + 10
    while call_sid not in callbacks:
        if time.monotonic() > late:
            raise AssertionError("no callback came within 10 seconds")
        time.sleep(0.02)
    received = callbacks[call_sid]
    equal(received["method"], step["method"])
    equal(received["query"]["from"], "python")
    said = received["form"] if step["method"] == "POST" else received["query"]
    equal(said["AccountSid"], ACCOUNT_SID)
    equal(said["To"], step["of"])
    equal(said["VerificationStatus"], step["verification_status"])
    equal("OutgoingCallerIdSid" in said, said["VerificationStatus"] == "success")
    signed = (received["url"], received["form"], received["signature"])
    equal(RequestValidator(AUTH_TOKEN).validate(*signed), True)
    equal(RequestValidator("another token").validate(*signed), False)


def list_caller_ids(client, step):
    selection = given(step, "phone_number", "friendly_name", "page_size")
    paged, pages = [], 0
    page = client.outgoing_caller_ids.page(**selection)
    while page is not None:
        pages += 1
        paged.extend(page)
        page = page.next_page()
    listed = client.outgoing_caller_ids.list(**selection)
    for caller_id in paged:
        check_caller_id(caller_id, caller_id.phone_number)
        known[caller_id.phone_number]["sid"] = caller_id.sid
    equal(sorted(caller_id.phone_number for caller_id in paged), step["finds"])
    equal([caller_id.sid for caller_id in listed], [caller_id.sid for caller_id in paged])
    equal(pages, step["pages"])


def fetch(client, step):
    caller_id = client.outgoing_caller_ids(step.get("sid") or known[step["of"]]["sid"]).fetch()
    check_caller_id(caller_id, step["of"])
    equal(caller_id.friendly_name, step["friendly_name"])


def rename(client, step):
    sid = known[step["of"]]["sid"]
    caller_id = client.outgoing_caller_ids(sid).update(friendly_name=step["friendly_name"])
    check_caller_id(caller_id, step["of"])
    equal(caller_id.friendly_name, step["friendly_name"])


def delete(client, step):
    equal(client.outgoing_caller_ids(known[step["of"]]["sid"]).delete(), True)


def given(step, *names):
    return {name: step[name] for name in names if name in step}


PLAY = {
    "create": create,
    "validate": validate,
    "busy": busy,
    "callback": callback,
    "list": list_caller_ids,
    "fetch": fetch,
    "rename": rename,
    "delete": delete,
}


def refusal(error):
    if isinstance(error, TwilioRestException):
        return {"status": error.status, "code": error.code}
    # For an invalid page, the package raises only this exception, with a message and the response.
    _, response = error.args
    return {"status": response.status_code, "code": json.loads(response.text)["code"]}


def play(step):
    token = step.get("auth_token", AUTH_TOKEN)
    client = Client(ACCOUNT_SID, token, http_client=LocalHttpClient())
    if "refused" not in step:
        return PLAY[step["do"]](client, step)
    try:
        PLAY[step["do"]](client, step)
    except TwilioException as error:
        equal(refusal(error), step["refused"])
    else:
        raise AssertionError("this was not refused")


steps = json.loads(Path(__file__).parent.with_name("scenario.json").read_text("utf-8"))["steps"]
for index, step in enumerate(steps, start=1):
    try:
        play(step)
    except BaseException:
        print(f"twilio {twilio.__version__} for Python, step {index}: {json.dumps(step)}", flush=True)
        raise
print(f"twilio {twilio.__version__} for Python: {len(steps)} steps passed")
