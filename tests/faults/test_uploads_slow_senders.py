"""Senders who are slow, and senders who stop: the site goes on, and each hears what to do."""

import runpy
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from core import long_bodies
from tests.faults.proxy import Line
from tests.faults.site import CSRF, Sender, Site, until
from tests.functional.test_server import ROOT

ONE_SHOT = "/core/api/upload-video/"
BOUNDARY = "a-boundary"


@pytest.fixture(scope="module", params=["practika_project.wsgi", "tests.faults.impatient"])
def one_worker(
    request: pytest.FixtureRequest, prepared_site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site of one worker."""
    folder = tmp_path_factory.mktemp("one")
    made = prepared_site.copied_to(folder, {"WEB_CONCURRENCY": "1"}, application=f"{request.param}:application")
    made.start()
    yield made
    made.stop()


patient = pytest.mark.parametrize("one_worker", ["practika_project.wsgi"], indirect=True)
impatient = pytest.mark.parametrize("one_worker", ["tests.faults.impatient"], indirect=True)


def sender(site: Site, video: bytes) -> Sender:
    return Sender(site, video, token=uuid4().hex, recording=True).open()


def begin(site: Site, method: str, path: str, length: int, content: bytes = b"") -> socket.socket:
    """Send the headers of a long body and its first bytes; return the connection."""
    line = socket.create_connection(("127.0.0.1", site.port), timeout=30)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nAccept: application/json\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nX-CSRFToken: {CSRF}\r\n"
        f"Cookie: sessionid={site.session}; csrftoken={CSRF}\r\n\r\n"
    )
    line.sendall(head.encode() + content)
    return line


def answer_on(line: socket.socket) -> str:
    """Return what comes until the server closes the connection."""
    with line:
        return b"".join(iter(lambda: line.recv(65536), b"")).decode()


def test_two_threads_of_a_worker_never_receive_a_long_body() -> None:
    assert runpy.run_path(str(ROOT / "gunicorn.conf.py"))["threads"] - 2 == long_bodies.MOST


@patient
def test_one_long_body_too_many_is_told_when_to_come_again_and_pages_go_on(one_worker: Site, video: bytes) -> None:
    first, second, third = (sender(one_worker, video) for _ in range(3))
    with ExitStack() as slow:
        lines = [slow.enter_context(one.half_a_part(number)) for one in (first, second) for number in (1, 2, 3)]
        assert len(lines) == long_bodies.MOST
        link = third.link(1).removeprefix(one_worker.address)
        for method, path in (("PUT", link), ("POST", ONE_SHOT)):
            told = answer_on(begin(one_worker, method, path, len(third.part(1))))
            assert told.startswith("HTTP/1.1 503"), told
            assert "\r\nRetry-After: " in told
            assert "application/problem+json" in told
        assert one_worker.visitor().get(f"{one_worker.address}/exercises/", timeout=30).status_code == 200
        lines[0].close()
        until(lambda: third.send(1).status_code == 200, 30)


@impatient
def test_a_sender_who_stops_loses_the_connection_and_the_part_can_be_sent_again(one_worker: Site, video: bytes) -> None:
    stopping = sender(one_worker, video)
    with stopping.half_a_part(1) as line:
        assert answer_on(line).startswith("HTTP/1.1 400")
    assert stopping.send(1).status_code == 200


@impatient
def test_a_form_that_stops_loses_the_connection_and_leaves_no_file(one_worker: Site, video: bytes) -> None:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'.encode()
    line = begin(one_worker, "POST", ONE_SHOT, 2 * len(video), part + video)
    assert answer_on(line).startswith("HTTP/1.1 400")
    assert list(Path(one_worker.media / "incoming").iterdir()) == []


@impatient
def test_a_sender_who_is_merely_slow_is_not_cut_off(one_worker: Site, video: bytes) -> None:
    slow = sender(one_worker, video)
    with Line("127.0.0.1", one_worker.port) as line:
        line.slow(bytes_per_s=400_000)
        link = slow.link(1).replace(one_worker.address, line.address)
        assert requests.put(link, slow.part(1), timeout=60).status_code == 200
