"""Ten scenarios. conftest.py has the fixture `account`."""

import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

NUMBER = "+14158675309"
VERIFIES = "+12125550171"
WRONG_THEN_RIGHT = "+12125550173"


def create(account, number, **options):
    return account.client.validation_requests.create(phone_number=number, **options)


def call(account, number, status):
    """Waits for a call to the number with this status."""
    query = urllib.parse.urlencode({"phone_number": number, "status": status, "wait": 10})
    return account.control("GET", f"calls?{query}")["calls"][0]


def caller_ids(account):
    return [caller_id.phone_number for caller_id in account.client.outgoing_caller_ids.list()]


def test_happy_path(account):
    request = create(account, VERIFIES)
    ended = call(account, VERIFIES, "completed")
    assert ended["call_sid"] == request.call_sid
    assert ended["verification_status"] == "success"
    assert caller_ids(account) == [VERIFIES]


def test_a_wrong_code_then_the_right_one(account):
    create(account, WRONG_THEN_RIGHT)
    ended = call(account, WRONG_THEN_RIGHT, "completed")
    assert (ended["verification_status"], ended["entries_left"]) == ("success", 2)
    assert caller_ids(account) == [WRONG_THEN_RIGHT]


def test_busy(account):
    account.control("PUT", f"phones/{NUMBER}", "busy")
    create(account, NUMBER)
    assert call(account, NUMBER, "busy")["verification_status"] == "failed"
    assert caller_ids(account) == []


def test_nobody_answers(account):
    steps = [{"after_ms": 200, "do": "no_answer"}]
    account.control("PUT", "phones/*", {"script": steps})
    create(account, NUMBER)
    assert call(account, NUMBER, "no-answer")["answered_at"] is None
    assert caller_ids(account) == []


def test_time_runs_out(account):
    account.control("POST", "clock", {"now": "2008-04-01T18:26:32Z", "frozen": True})
    request = create(account, NUMBER)
    code = account.control("GET", f"codes/{NUMBER}")["validation_code"]
    assert code == request.validation_code
    account.control("POST", "clock/advance", {"seconds": 600})
    assert call(account, NUMBER, "no-answer")["ended_at"] == "2008-04-01T18:36:32.000Z"


def test_the_service_is_down_twice_then_works(account):
    account.control("POST", "faults", {"times": 2, "then": {"status": 503, "message": "Down"}})
    for _ in range(2):
        with pytest.raises(TwilioRestException) as raised:
            create(account, VERIFIES)
        assert raised.value.status == 503
    create(account, VERIFIES)
    call(account, VERIFIES, "completed")
    statuses = [it["status"] for it in account.control("GET", "requests")["requests"]]
    assert statuses == [503, 503, 200]


def test_the_answer_is_lost_after_the_work_so_asking_again_rings_twice(account):
    match, then = {"method": "POST", "phone_number": NUMBER}, {"drop": "after"}
    account.control("POST", "faults", {"match": match, "times": 1, "then": then})
    with pytest.raises(requests.ConnectionError):
        create(account, NUMBER)
    first = call(account, NUMBER, "ringing")
    again = create(account, NUMBER)
    assert again.call_sid != first["call_sid"]
    assert call(account, NUMBER, "canceled")["call_sid"] == first["call_sid"]
    assert call(account, NUMBER, "ringing")["call_sid"] == again.call_sid


def test_120_caller_ids_over_pages(account):
    numbers = [f"+14158675{last}" for last in range(100, 220)]
    rows = [{"phone_number": number} for number in numbers]
    account.control("POST", "seed", {"caller_ids": rows})
    assert sorted(caller_ids(account)) == numbers
    pages = account.control("GET", "requests")["requests"]
    assert len(pages) == 3


def test_a_number_already_validated(account):
    account.control("POST", "seed", {"caller_ids": [{"phone_number": NUMBER}]})
    with pytest.raises(TwilioRestException) as raised:
        create(account, NUMBER)
    assert (raised.value.status, raised.value.code) == (400, 21450)
    assert account.control("GET", "calls")["calls"] == []


def test_a_callback_with_a_signature(account):
    with Receiver(("127.0.0.1", 0), Callback) as receiver:
        receiving = threading.Thread(target=receiver.handle_request)
        receiving.start()
        url = f"http://127.0.0.1:{receiver.server_port}/validated"
        create(account, VERIFIES, status_callback=url)
        receiving.join()
    form, signature = receiver.received
    assert (form["To"], form["VerificationStatus"]) == (VERIFIES, "success")
    _, auth_token = account.auth
    assert RequestValidator(auth_token).validate(url, form, signature)


class Receiver(HTTPServer):
    timeout = 10
    received = None


class Callback(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body))
        self.server.received = form, self.headers["X-Twilio-Signature"]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass
