"""Starts `callerid serve --test` for tests, with Twilio's client for it."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

PROGRAM = os.environ.get("CALLERID_PROGRAM", "callerid")
OPTIONS = "--test --ephemeral --listen 127.0.0.1:0 --callback-allow 127.0.0.1 --log warn".split()


class CallerIdServer:
    def __init__(self):
        with tempfile.TemporaryDirectory() as folder:
            ready = Path(folder, "ready.json")
            command = [PROGRAM, "serve", *OPTIONS, "--ready-file", str(ready)]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            while not ready.exists():
                if self.process.poll() is not None:
                    raise RuntimeError("the server did not start")
                time.sleep(0.01)
            said = json.loads(ready.read_text())
        self.url, self.auth = said["url"], (said["account_sid"], said["auth_token"])
        self.client = Client(*self.auth, http_client=LocalHttpClient(self.url))

    def control(self, method, path, document=None):
        """Sends a request of the test control, and returns the response."""
        url = f"{self.url}/_callerid/{path}"
        response = requests.request(method, url, json=document, auth=self.auth, timeout=90)
        response.raise_for_status()
        return response.json()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class LocalHttpClient(TwilioHttpClient):
    def __init__(self, url):
        super().__init__()
        self.url = url

    def request(self, method, url, *args, **kwargs):
        url = url.replace("https://api.twilio.com", self.url)
        return super().request(method, url, *args, **kwargs)
