"""The server is told to take new workers or another log, or nobody reads its log any more: nobody notices."""

import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.faults.site import Site
from tests.functional.test_server import BODY, SLOW_POST, whole_answer
from tests.servers.waiting import until

PIPE_BYTES = 4096
LINES = 200  # each of more than 100 bytes, so several times what the pipe holds


@pytest.fixture
def server(prepared_site: Site) -> Iterator[Site]:
    prepared_site.start()
    yield prepared_site
    prepared_site.stop()


def workers(site: Site) -> set[str]:
    return set(Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text().split())


def page(site: Site) -> int:
    return site.visitor().get(f"{site.address}/exercises/", timeout=30, allow_redirects=False).status_code


def test_sighup_brings_new_workers_and_the_old_ones_end_what_they_began(server: Site):
    before = workers(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(SLOW_POST.encode())
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # a thread has begun with it
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(workers(server) - before) == len(before), 60)
        assert page(server) == 200
        client.sendall(BODY)
        assert whole_answer(client).startswith(b"HTTP/1.1 ")
    until(lambda: not workers(server) & before, 60)
    assert page(server) == 200


def test_sigusr1_reopens_a_log_that_is_standard_output_and_changes_nothing(server: Site):
    before = workers(server)
    server.process.send_signal(signal.SIGUSR1)
    until(lambda: "usr1" in (server.folder / "log").read_text(), 30)
    assert page(server) == 200
    assert workers(server) == before


def test_nobody_waits_for_a_reader_of_the_log_who_stalls_or_is_gone(prepared_site: Site, tmp_path: Path):
    site = prepared_site.copied_to(tmp_path, {"WEB_CONCURRENCY": "1"})
    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    try:
        site.start()  # and nobody reads a line from here on
        visitor = site.visitor()
        assert {visitor.get(f"{site.address}/nothing", timeout=30).status_code for _ in range(LINES)} == {404}
        assert page(site) == 200
        os.close(reader)
        reader = -1
        assert page(site) == 200
        assert requests.get(f"{site.address}/core/health/", timeout=30).status_code == 200
    finally:
        site.stop()
        if reader >= 0:
            os.close(reader)
