"""Ten scenarios: python -m unittest, or pytest."""

import threading
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests
from callerid_server import CallerIdServer
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

NUMBER = "+14158675309"
VERIFIES = "+12125550171"
WRONG_THEN_RIGHT = "+12125550173"


class Scenarios(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = CallerIdServer()
        cls.addClassCleanup(cls.server.stop)
        cls.client, cls.control = cls.server.client, cls.server.control

    def setUp(self):
        self.control("POST", "reset")
        self.control("DELETE", "clock")

    def create(self, number, **options):
        return self.client.validation_requests.create(phone_number=number, **options)

    def call(self, number, status):
        """Waits for a call to the number with this status."""
        query = urllib.parse.urlencode({"phone_number": number, "status": status, "wait": 10})
        return self.control("GET", f"calls?{query}")["calls"][0]

    def caller_ids(self):
        return [caller_id.phone_number for caller_id in self.client.outgoing_caller_ids.list()]

    def test_happy_path(self):
        request = self.create(VERIFIES)
        call = self.call(VERIFIES, "completed")
        self.assertEqual(call["call_sid"], request.call_sid)
        self.assertEqual(call["verification_status"], "success")
        self.assertEqual(self.caller_ids(), [VERIFIES])

    def test_a_wrong_code_then_the_right_one(self):
        self.create(WRONG_THEN_RIGHT)
        call = self.call(WRONG_THEN_RIGHT, "completed")
        self.assertEqual((call["verification_status"], call["entries_left"]), ("success", 2))
        self.assertEqual(self.caller_ids(), [WRONG_THEN_RIGHT])

    def test_busy(self):
        self.control("PUT", f"phones/{NUMBER}", "busy")
        self.create(NUMBER)
        self.assertEqual(self.call(NUMBER, "busy")["verification_status"], "failed")
        self.assertEqual(self.caller_ids(), [])

    def test_nobody_answers(self):
        steps = [{"after_ms": 200, "do": "no_answer"}]
        self.control("PUT", "phones/*", {"script": steps})
        self.create(NUMBER)
        self.assertIsNone(self.call(NUMBER, "no-answer")["answered_at"])
        self.assertEqual(self.caller_ids(), [])

    def test_time_runs_out(self):
        self.control("POST", "clock", {"now": "2008-04-01T18:26:32Z", "frozen": True})
        request = self.create(NUMBER)
        code = self.control("GET", f"codes/{NUMBER}")["validation_code"]
        self.assertEqual(code, request.validation_code)
        self.control("POST", "clock/advance", {"seconds": 600})
        ended_at = self.call(NUMBER, "no-answer")["ended_at"]
        self.assertEqual(ended_at, "2008-04-01T18:36:32.000Z")

    def test_the_service_is_down_twice_then_works(self):
        self.control("POST", "faults", {"times": 2, "then": {"status": 503, "message": "Down"}})
        for _ in range(2):
            with self.assertRaises(TwilioRestException) as raised:
                self.create(VERIFIES)
            self.assertEqual(raised.exception.status, 503)
        self.create(VERIFIES)
        self.call(VERIFIES, "completed")
        statuses = [it["status"] for it in self.control("GET", "requests")["requests"]]
        self.assertEqual(statuses, [503, 503, 200])

    def test_the_answer_is_lost_after_the_work_so_asking_again_rings_twice(self):
        match, then = {"method": "POST", "phone_number": NUMBER}, {"drop": "after"}
        self.control("POST", "faults", {"match": match, "times": 1, "then": then})
        with self.assertRaises(requests.ConnectionError):
            self.create(NUMBER)
        first = self.call(NUMBER, "ringing")
        again = self.create(NUMBER)
        self.assertNotEqual(again.call_sid, first["call_sid"])
        self.assertEqual(self.call(NUMBER, "canceled")["call_sid"], first["call_sid"])
        self.assertEqual(self.call(NUMBER, "ringing")["call_sid"], again.call_sid)

    def test_120_caller_ids_over_pages(self):
        numbers = [f"+14158675{last}" for last in range(100, 220)]
        rows = [{"phone_number": number} for number in numbers]
        self.control("POST", "seed", {"caller_ids": rows})
        self.assertEqual(sorted(self.caller_ids()), numbers)
        pages = len(self.control("GET", "requests")["requests"])
        self.assertEqual(pages, 3)

    def test_a_number_already_validated(self):
        self.control("POST", "seed", {"caller_ids": [{"phone_number": NUMBER}]})
        with self.assertRaises(TwilioRestException) as raised:
            self.create(NUMBER)
        self.assertEqual((raised.exception.status, raised.exception.code), (400, 21450))
        self.assertEqual(self.control("GET", "calls")["calls"], [])

    def test_a_callback_with_a_signature(self):
        receiver = Receiver(("127.0.0.1", 0), Callback)
        self.addCleanup(receiver.server_close)
        receiving = threading.Thread(target=receiver.handle_request)
        receiving.start()
        url = f"http://127.0.0.1:{receiver.server_port}/validated"
        self.create(VERIFIES, status_callback=url)
        receiving.join()
        form, signature = receiver.received
        self.assertEqual((form["To"], form["VerificationStatus"]), (VERIFIES, "success"))
        _, auth_token = self.server.auth
        self.assertTrue(RequestValidator(auth_token).validate(url, form, signature))


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
