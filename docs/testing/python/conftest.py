"""Fixtures over `callerid serve --test`: a server for all tests, and an account of its own for each."""

import json
import os
import subprocess
import time

import pytest
import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

PROGRAM = os.environ.get("CALLERID_PROGRAM", "callerid")
OPTIONS = "--test --ephemeral --listen 127.0.0.1:0 --callback-allow 127.0.0.1 --log warn".split()


class LocalHttpClient(TwilioHttpClient):
    def __init__(self, url):
        super().__init__()
        self.url = url

    def request(self, method, url, *args, **kwargs):
        url = url.replace("https://api.twilio.com", self.url)
        return super().request(method, url, *args, **kwargs)


class Account:
    def __init__(self, url, account_sid, auth_token):
        self.url, self.auth = url, (account_sid, auth_token)
        self.client = Client(*self.auth, http_client=LocalHttpClient(url))

    def control(self, method, path, document=None):
        """Sends a request of the test control, and returns the response."""
        url = f"{self.url}/_callerid/{path}"
        response = requests.request(method, url, json=document, auth=self.auth, timeout=90)
        response.raise_for_status()
        return response.json()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    ready = tmp_path_factory.mktemp("callerid") / "ready.json"
    process = subprocess.Popen([PROGRAM, "serve", *OPTIONS, "--ready-file", str(ready)])
    while not ready.exists():
        assert process.poll() is None, "the server did not start"
        time.sleep(0.01)
    yield Account(**json.loads(ready.read_text()))
    process.terminate()
    process.wait()


@pytest.fixture
def account(server):
    sandbox = server.control("POST", "sandboxes")
    yield Account(server.url, sandbox["account_sid"], sandbox["auth_token"])
    server.control("DELETE", f"sandboxes/{sandbox['account_sid']}")
