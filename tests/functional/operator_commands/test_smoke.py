"""smoke asks a site from outside what its users need, and ends with 0, 1, or 2."""

import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager

import pytest

from core.operations.findings import find
from core.operations.smoke import check_headers, check_media, check_upload
from core.operations.web import Answer
from tests.functional.operator_commands.command import lines_of, run
from tests.functional.test_backup_postgres import server  # noqa: F401
from tests.functional.test_server import ROOT, environment, gunicorn

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

SMOKE = ["health", "ready", "static file", "anonymous upload", "log-in page", "security headers", "media closed",
         "request id"]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a real site, served by gunicorn."""
    folder = tmp_path_factory.mktemp("site")
    variables = {"DJANGO_DB_NAME": str(folder / "db.sqlite3"), "DJANGO_MEDIA_ROOT": str(folder / "media")}
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment(**variables), check=True, timeout=120)
    with gunicorn(folder, DJANGO_MEDIA_ROOT=variables["DJANGO_MEDIA_ROOT"]) as (_process, port, _lines):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def impostor(answer):
    """Serve what `answer(handler)` writes, as a site that is not Practika; yield its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{other.server_address[1]}"
    finally:
        other.shutdown()
        other.server_close()


def redirect(handler):
    handler.send_response(301)
    handler.send_header("Location", "https://elsewhere.example.org/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def plain_200(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", "5")
    handler.end_headers()
    handler.wfile.write(b"hello")


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        while handler.wfile.write(b" ") and not time.sleep(0.05):
            handler.wfile.flush()
    except OSError:
        pass


def test_a_running_site_passes_every_smoke_check(site):
    code, printed = run("smoke", site)
    assert code == 0, printed
    assert list(lines_of(printed)) == SMOKE
    assert "degraded: worker" in printed


def test_smoke_as_json_says_the_same(site):
    code, printed = run("smoke", site, "--json")
    told = json.loads(printed)
    assert (code, told["exit_code"], [check["name"] for check in told["checks"]]) == (0, 0, SMOKE)
    assert {check["state"] for check in told["checks"]} == {"ok"}


@pytest.mark.parametrize("answer", [redirect, plain_200], ids=["redirects", "another-site"])
def test_a_redirect_or_another_site_passes_nothing(answer):
    with impostor(answer) as url:
        code, printed = run("smoke", url)
    assert code == 1
    failed = {name for name, (state, _) in lines_of(printed).items() if state == "fail"}
    assert failed == set(SMOKE)


def test_an_address_that_sends_people_to_https_gives_one_advice_only():
    with impostor(redirect) as url:
        _, printed = run("smoke", url, "--json")
    assert {"give the https address" in check["hint"] for check in json.loads(printed)["checks"]} == {True}


def test_https_without_hsts_or_with_a_loose_policy_fails():
    headers = {
        "content-security-policy": "default-src 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "DENY",
        "strict-transport-security": "max-age=31536000",
    }

    def found(**changed):
        shown = headers | {name.replace("_", "-"): value for name, value in changed.items()}
        return find("headers", lambda: check_headers(lambda _: Answer(200, shown, b"", 0.0), secure=True))

    assert found().state == "ok"
    assert "Strict-Transport-Security" in found(strict_transport_security="").detail
    assert (
        "Content-Security-Policy" in found(content_security_policy="default-src 'none'; img-src 'unsafe-eval'").detail
    )


@pytest.mark.parametrize("check", [check_media, check_upload])
def test_a_closed_site_is_told_apart_from_an_open_folder(check):
    found = find("it", lambda: check(lambda *_, **__: Answer(503, {}, b"", 0.0)))
    assert (found.state, found.detail[:12]) == ("fail", "answered 503")
    assert "maintenance status" in found.hint
    assert "proxy serves" not in found.hint


def test_a_server_that_drips_is_left_in_time_and_is_2():
    with impostor(drip) as url:
        started = time.monotonic()
        code, printed = run("smoke", url, "--timeout", "0.3")
    assert code == 2
    assert time.monotonic() - started < 0.3 * len(SMOKE) + 3
    assert "no whole answer within 0.3 s" in printed


def test_nothing_that_listens_is_2_and_says_so():
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        code, printed = run("smoke", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert code == 2
    assert "nothing listens there" in printed


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://example.org", "http://", "http://a:b", "http://é.org"])
def test_what_is_no_address_is_2_with_a_sentence(url):
    code, printed = run("smoke", url)
    assert code == 2
    assert printed.count("\n") == 1
