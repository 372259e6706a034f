"""A server that is told to stop: proxies hear it first, nobody is dropped, and what breaks can be resumed."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.faults.site import Sender, Site, until

DRAIN_S = 3


@pytest.fixture
def draining(prepared_site: Site, tmp_path: Path) -> Iterator[Site]:
    """A site of two workers that serves on for DRAIN_S when it is told to stop."""
    variables = {"PRACTIKA_DRAIN_SECONDS": str(DRAIN_S), "METRICS_NETWORKS": "127.0.0.0/8"}
    made = prepared_site.copied_to(tmp_path, variables)
    made.start()
    yield made
    made.stop()


def sender(site: Site, video: bytes) -> Sender:
    return Sender(site, video, token=uuid4().hex, recording=True).open()


def ready(site: Site) -> requests.Response:
    return requests.get(f"{site.address}/core/ready/", timeout=30)


def figures(site: Site) -> list[str]:
    return requests.get(f"{site.address}/core/metrics/", timeout=30).text.splitlines()


def told_to_stop(site: Site) -> None:
    """Send SIGTERM to the master alone, as Docker and systemd do, and return when readiness says so."""
    assert site.process is not None
    site.process.send_signal(signal.SIGTERM)
    until(lambda: ready(site).status_code == 503, DRAIN_S)


def rest_of(site: Site, half: socket.socket, content: bytes) -> bytes:
    half.sendall(content[len(content) // 2 :])
    return b"".join(iter(lambda: half.recv(65536), b""))


def test_told_to_stop_it_says_so_and_serves_on_until_its_last_request_has_ended(draining: Site, video: bytes) -> None:
    assert ready(draining).status_code == 200
    assert "practika_ready 1.0" in figures(draining)
    ben = sender(draining, video)
    kept = HTTPConnection("127.0.0.1", draining.port, timeout=30)
    with ben.half_a_part(1) as half, contextlib.closing(kept):
        kept.request("GET", "/core/health/")
        kept.getresponse().read()
        told_to_stop(draining)
        answer = ready(draining)
        assert answer.json() == {"status": "draining", "components": {}}
        assert "practika_ready 0.0" in figures(draining)
        assert requests.get(f"{draining.address}/core/health/", timeout=30).status_code == 200
        page = ben.visitor.get(f"{draining.address}/exercises/", timeout=30)
        assert (page.status_code, page.headers["Connection"]) == (200, "close")
        kept.request("GET", "/core/health/")
        assert kept.getresponse().headers["Connection"] == "close"
        until(lambda: refuses(draining), 30)
        assert rest_of(draining, half, ben.part(1)).startswith(b"HTTP/1.1 200 ")
    assert draining.process.wait(30) == 0
    draining.start()
    assert ben.held() == [1]


def refuses(site: Site) -> bool:
    try:
        socket.create_connection(("127.0.0.1", site.port), timeout=30).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_part_that_outlasts_the_grace_is_cut_and_sent_again_to_the_next_server(draining: Site, video: bytes) -> None:
    draining.kill()
    draining.start("--graceful-timeout", "1")
    ben = sender(draining, video)
    with ben.half_a_part(1) as half:
        draining.process.send_signal(signal.SIGTERM)
        assert draining.process.wait(30) == 0
        assert half.recv(65536) == b""
    draining.start()
    assert ben.held() == []
    ben.send_all()
    assert ben.complete().ok


def test_a_worker_that_is_merely_replaced_says_nothing(draining: Site) -> None:
    draining.process.send_signal(signal.SIGHUP)
    log = draining.folder / "log"
    until(lambda: log.read_text().count("Worker exiting") >= 2, 60)
    assert ready(draining).status_code == 200
