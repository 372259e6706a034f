"""What our worker takes from gunicorn's insides is still what was read, and doubtful heads are left to gunicorn."""

import hashlib
import inspect
import runpy
import textwrap
from pathlib import Path

import gunicorn
import pytest
from gunicorn.http.parser import Parser
from gunicorn.http.unreader import Unreader
from gunicorn.http.wsgi import Response
from gunicorn.workers.gthread import PollableMethodQueue, TConn, ThreadWorker

from core.health import HealthAnswer
from core.health_head import HealthHead, written

CONFIGURATION = Path(__file__).resolve().parents[2] / "gunicorn.conf.py"
READ = {
    ThreadWorker.__init__: "a53cfb3b9a0bb8ad",
    ThreadWorker.init_process: "091d906a1f5d9991",
    ThreadWorker.run: "f72655efc8d20db5",
    ThreadWorker.set_accept_enabled: "33822c6e3df0a6c3",
    ThreadWorker.enqueue_req: "4c7f48d00b885e21",
    ThreadWorker.accept: "ad48332f98ddbd24",
    ThreadWorker.finish_request: "d18d79ae80962858",
    ThreadWorker.handle: "49edcc01d00df15a",
    ThreadWorker._keepalive_after: "c9a49befb5bd48df",
    ThreadWorker.handle_request: "1e773274d3db1326",
    ThreadWorker.murder_keepalived: "0501f5de1b1dd977",
    ThreadWorker.murder_pending: "ebda07b618cbd723",
    ThreadWorker._cap_keepalive: "94b8f69358a3027d",
    ThreadWorker.wait_for_and_dispatch_events: "ff40959b1a233cbf",
    ThreadWorker.handle_exit: "2476ee2ba87d42e8",
    TConn: "e3a2878ba952710a",
    PollableMethodQueue: "5b4a78bd3cfb9745",
    Unreader: "84aaa8f91fcdbbae",
    Response.default_headers: "1fb89aaa03dd67c4",
    Response.should_close: "88a691dd3f516c29",
    Parser.finish_body: "76ceb15e2199e46d",
}


@pytest.mark.parametrize("part", READ, ids=lambda part: part.__qualname__)
def test_gunicorn_is_as_our_worker_expects_it(part):
    found = digest(part)
    assert found == READ[part], (
        f"gunicorn {gunicorn.__version__} changed {part.__qualname__}, which core/gunicorn_worker.py stands on. Read"
        f" the change, mend the worker, run tests/functional/test_server_worker.py, then write {found!r} here. Until"
        " then run gunicorn with --worker-class gthread."
    )


def digest(part):
    """Return a short digest of a part's source."""
    return hashlib.sha256(textwrap.dedent(inspect.getsource(part)).encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("version", "worker"),
    [((27, 0, 1), "core.gunicorn_worker.HealthWorker"), ((27, 1, 0), "gthread"), ((28, 0, 0), "gthread")],
)
def test_another_series_of_gunicorn_gets_its_own_worker(monkeypatch, version, worker):
    monkeypatch.setattr(gunicorn, "version_info", version)
    assert runpy.run_path(str(CONFIGURATION))["worker_class"] == worker


def head(line="GET /core/health/ HTTP/1.1", *headers):
    return "\r\n".join([line, *headers, "", ""]).encode()


def test_what_follows_the_head_is_not_part_of_it():
    assert HealthHead.read(head() + b"GET /").length == len(head())


@pytest.mark.parametrize(
    ("version", "connection", "keeps"),
    [
        ("1.1", "X-None: 1", True),
        ("1.1", "Connection: Close", False),
        ("1.1", "connection:keep-alive, close", False),
        ("1.0", "X-None: 1", False),
        ("1.0", "CONNECTION: Keep-Alive", True),
    ],
)
def test_a_connection_is_kept_as_its_version_and_header_say(version, connection, keeps):
    assert HealthHead.read(head(f"GET /core/health/ HTTP/{version}", connection)).keeps is keeps


@pytest.mark.parametrize(
    "doubtful",
    [
        head("GET /core/health HTTP/1.1"),
        head("GET /core/health/x HTTP/1.1"),
        head("GET  /core/health/ HTTP/1.1"),
        head("get /core/health/ HTTP/1.1"),
        head("GET /core/health/ HTTP/2.0"),
        head("GET /core/health/?a b HTTP/1.1"),
        head("GET /core/health/ HTTP/1.1", "content-length: 1"),
        head("GET /core/health/ HTTP/1.1", "Content-Length: 0x"),
        head("GET /core/health/ HTTP/1.1", "Content-Length: 0, 5"),
        head("GET /core/health/ HTTP/1.1", "X: 1", "Transfer-Encoding: chunked"),
        head("GET /core/health/ HTTP/1.1", "Expect: 100-continue"),
        head("GET /core/health/ HTTP/1.1", "X: 1", " folded"),
        head("GET /core/health/ HTTP/1.1", "Content-Length : 5"),
        head("GET /core/health/ HTTP/1.1", "X: a\nTransfer-Encoding: chunked"),
        head("GET /core/health/ HTTP/1.1", "X: \0"),
        head("GET /core/health/ HTTP/1.1", f"X: {'a' * 5000}"),
        head("GET /core/health/ HTTP/1.1")[:-1],
    ],
)
def test_any_other_or_doubtful_head_is_left_to_gunicorn(doubtful):
    assert HealthHead.read(doubtful) is None


def test_an_answer_is_written_with_its_length_and_without_a_body_for_head():
    health = HealthAnswer(version="1.0.0", environment="staging")
    answer = health.answer("HEAD", 0.0)
    bytes_sent = written(HealthHead.read(head("HEAD /core/health/ HTTP/1.1")), *answer, kept=True)
    assert bytes_sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(answer[2])}\r\n".encode() in bytes_sent
    assert b"Connection: keep-alive\r\n" in bytes_sent
    assert bytes_sent.endswith(b"\r\n\r\n")
