"""Errors reach Sentry, over real HTTP, with nothing about a person in them; without a DSN nothing of it is loaded."""

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.functional.test_server import ROOT, environment

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

# The site with a page that fails while it handles what nobody else may see; asked once, with all of it.
BROKEN_SITE = """
import sys
import django
django.setup()
from django.contrib.auth.decorators import login_not_required
from django.test import Client
from django.urls import path
from practika_project import urls

def broken(request, token):
    password = request.POST["password"]
    raise ValueError(
        "ben@example.org may not open https://s3.example/key?X-Amz-Signature=a-signature"
        " nor /core/media/a-token/ nor /accounts/password/reset/key/a-key/"
    )

urls.urlpatterns.append(path("broken/<str:token>/", login_not_required(broken)))
answer = Client(raise_request_exception=False).post(
    "/broken/a-path/?sig=a-query", {"password": "a-body", "email": "zoe@example.org"},
    headers={"cookie": "csrftoken=a-cookie", "authorization": "Bearer a-header", "x-request-id": "named-by-somebody"},
    REMOTE_ADDR="203.0.113.9", SERVER_NAME="localhost",
)
assert answer.status_code == 500
if "sentry_sdk" in sys.modules:
    sys.modules["sentry_sdk"].flush(30)
print("loaded" if "sentry_sdk" in sys.modules else "not loaded", file=sys.stderr)  # the log has the other one
"""


@pytest.fixture
def receiver() -> Iterator[ThreadingHTTPServer]:
    """A server that keeps what it is sent, as Sentry's does: envelopes, mostly compressed."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            server.received.append((self.path, gzip.decompress(body) if is_packed else body))  # type: ignore[attr-defined]
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.received = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def run_the_broken_site(folder, **variables: str) -> str:
    script = [sys.executable, "-c", BROKEN_SITE]
    chosen = environment(
        DJANGO_DB_NAME=str(folder / "db"), DJANGO_SETTINGS_MODULE="practika_project.settings", **variables
    )
    done = subprocess.run(script, cwd=ROOT, env=chosen, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1]


def test_an_error_arrives_with_its_place_and_the_requests_id_and_without_anybody_in_it(receiver, tmp_path):
    run_the_broken_site(tmp_path, SENTRY_DSN=f"http://key@127.0.0.1:{receiver.server_port}/7")
    ((path, envelope),) = receiver.received
    assert path == "/api/7/envelope/"
    event = json.loads(envelope.splitlines()[2])
    (error,) = event["exception"]["values"]
    assert (error["type"], event["transaction"]) == ("ValueError", "/broken/{token}/")
    assert error["stacktrace"]["frames"][-1]["function"] == "broken"
    assert event["tags"] == {"request_id": "named-by-somebody"}
    assert event["request"] == {"method": "POST"}
    assert event["release"].startswith("practika@")
    assert error["value"].startswith(
        "[e-mail] may not open https://s3.example/key?[removed] nor /core/media/[removed]/"
    )
    secrets = ["ben@", "zoe@", "a-signature", "a-token", "a-key", "a-path", "a-query", "a-body", "a-cookie", "a-header"]
    assert [secret for secret in [*secrets, "203.0.113.9"] if secret in without_source(event)] == []


def without_source(event: dict) -> str:
    """Return all of an event but the lines of code around each place, where this test names its secrets."""
    for error in event["exception"]["values"]:
        for frame in error["stacktrace"]["frames"]:
            assert "vars" not in frame
            for lines in ("pre_context", "context_line", "post_context"):
                frame.pop(lines, None)
    return json.dumps(event)


def test_without_a_dsn_nothing_is_loaded_and_nothing_is_sent(receiver, tmp_path):
    assert run_the_broken_site(tmp_path, SENTRY_DSN="") == "not loaded"
    assert receiver.received == []
