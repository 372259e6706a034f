"""The server's event loop answers health itself, as the site does, whatever its threads wait for."""

import contextlib
import itertools
import json
import select
import signal
import socket
import time

import pytest

from core.gunicorn_worker import PATIENT_SECONDS
from tests.functional.test_server import SLOW_POST, gunicorn, whole_answer

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

GET = b"GET /core/health/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /core/health/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
FAVICON = b"GET /favicon-that-is-not-there HTTP/1.1\r\nHost: localhost\r\n\r\n"
THREADS = 8


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with gunicorn(tmp_path_factory.mktemp("loop")) as (_process, port, _lines):
        yield port


@pytest.fixture(scope="module")
def plain_port(tmp_path_factory):
    """The same site under gunicorn's own worker."""
    folder = tmp_path_factory.mktemp("plain")
    with gunicorn(folder, GUNICORN_CMD_ARGS="--worker-class gthread") as (_process, port, _lines):
        yield port


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def asked(port, *pieces):
    """Return all that the server says to these pieces, each its own packet, until it hangs up."""
    with connected(port) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
        return whole_answer(client)


def one_answer(stream):
    """Return (status, headers, body) of the next answer of a kept connection."""
    status = int(stream.readline().split()[1])
    headers = {}
    while line := stream.readline().strip():
        name, value = line.decode().split(": ", 1)
        headers[name] = value
    return status, headers, stream.read(int(headers.get("Content-Length", 0)))


@contextlib.contextmanager
def stalled_uploads(port, count):
    """Hold so many requests whose threads wait for a body that does not come; all threads are taken."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected(port)) for _ in range(count)]
        for client in clients:
            client.sendall(SLOW_POST.encode())
        begun = set()  # by any of them: the order in which threads take them is the server's
        while len(begun) < THREADS:
            begun.update(select.select([client for client in clients if client not in begun], [], [], 30)[0])
        yield clients


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /core/health/ HTTP/1.1",
        "HEAD /core/health/ HTTP/1.1",
        "GET /core/health/?verbose=1 HTTP/1.1",
        "GET /core/health/ HTTP/1.0",
        "DELETE /core/health/ HTTP/1.1",
        "POST /core/health/ HTTP/1.1\r\nContent-Length: 0",
        "POST /core/health/ HTTP/1.1\r\nContent-Length: 4",
        "GET http://localhost/core/health/ HTTP/1.1",
        "GET /core/%68ealth/ HTTP/1.1",
        "GET /core/health/ HTTP/1.1\r\nBad Header: 1",
        "GET /core/health/ HTTP/1.1\r\nNo-Colon",
        "GET /core/health/ HTTP/9.1",
        f"GET /core/health/?{'a' * 5000} HTTP/1.1",
        f"GET /core/health/ HTTP/1.1\r\nX-Long: {'a' * 9000}",
        "GET /core/health/ HTTP/1.1\r\n" + "\r\n".join(f"X-{n}: 1" for n in range(101)),
    ],
)
def test_the_loop_answers_what_gunicorns_own_worker_answers(port, plain_port, request_line):
    request = f"{request_line}\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    request += "body" if "Content-Length: 4" in request else ""

    def seen(port):
        head, body = asked(port, request.encode()).split(b"\r\n\r\n", 1)
        lines = [line for line in head.split(b"\r\n") if not line.startswith((b"Date:", b"Content-Length:"))]
        return lines, list(json.loads(body)) if body.startswith(b"{") else body

    assert seen(port) == seen(plain_port)


def test_health_and_head_answer_while_every_thread_waits_for_a_body(port):
    with stalled_uploads(port, 3 * THREADS), connected(port) as client, client.makefile("rb") as stream:
        for _ in range(3):
            client.sendall(GET)
            status, headers, body = one_answer(stream)
            assert (status, headers["Connection"]) == (200, "keep-alive")
            assert json.loads(body)["status"] == "healthy"
        assert asked(port, LAST.replace(b"GET", b"HEAD")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert asked(port, LAST.replace(b"GET", b"PUT")).startswith(b"HTTP/1.1 405 ")


def test_clients_that_send_half_a_head_or_nothing_take_no_thread(port):
    with contextlib.ExitStack() as stack:
        for opening in [b"", b"GET /accounts/login/ HTTP/1.1\r\nHost: loc"] * THREADS:
            stack.enter_context(connected(port)).sendall(opening)
        assert asked(port, FAVICON.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 404")


def test_clients_that_send_half_a_head_or_nothing_are_hung_up_on(port):
    with connected(port) as silent, connected(port) as halting:
        halting.sendall(b"GET /accounts/login/ HTTP/1.1\r\nHost: loc")
        assert whole_answer(silent) == whole_answer(halting) == b""


def test_a_head_in_many_packets_is_answered_once_it_is_whole(port):
    answer = asked(port, *(LAST[at : at + 1] for at in range(len(LAST))))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.count(b"HTTP/1.1") == 1


def test_pipelined_requests_are_answered_in_their_order_by_loop_and_threads(port):
    answers = asked(port, GET + GET + FAVICON + GET + FAVICON + LAST + GET)
    statuses = [int(answer[:3]) for answer in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 200, 404, 200, 404, 200]


def test_half_a_head_behind_a_whole_request_is_kept_for_the_next(port):
    with connected(port) as client, client.makefile("rb") as stream:
        client.sendall(FAVICON + LAST[:20])
        assert one_answer(stream)[0] == 404
        client.sendall(LAST[20:])
        assert one_answer(stream)[0] == 200


def test_a_head_without_end_is_refused_before_it_costs_memory(port):
    assert asked(port, b"GET / HTTP/1.1\r\nX: " + b"a" * 65536).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(("length", "said"), [(2**20, "close"), (1000, "keep-alive")])
def test_who_still_sends_a_long_body_that_nobody_reads_hears_that_the_connection_ends(port, length, said):
    head = f"POST /favicon-that-is-not-there HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    with connected(port) as client, client.makefile("rb") as stream:
        client.sendall(head.encode() + b"x" * 1000)
        status, headers, _ = one_answer(stream)
        assert (status, headers["Connection"]) == (404, said)
        client.sendall(FAVICON)
        assert stream.readline()[:12] == (b"" if said == "close" else b"HTTP/1.1 404")


def test_a_client_that_pipelines_and_never_reads_is_dropped_and_others_are_served(port):
    with connected(port) as client, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while True:  # socket.create_connection() made it end by TimeoutError, were it never dropped
            client.sendall(GET * 100)
    assert asked(port, LAST).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_last_answer_leaves_the_loop_free_while_the_client_keeps_its_side_open(port):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected(port)) for _ in range(5)]
        for client in clients:
            client.sendall(LAST)
            assert whole_answer(client).startswith(b"HTTP/1.1 200 OK\r\n")
        probe = stack.enter_context(connected(port))
        probe.settimeout(1.5)  # gunicorn's own graceful close would hold the loop for two seconds each
        probe.sendall(GET)
        assert probe.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_stopping_worker_answers_who_is_connected_and_refuses_the_rest_at_once(tmp_path):
    with gunicorn(tmp_path) as (process, port, lines), contextlib.ExitStack() as stack:
        (upload,) = stack.enter_context(stalled_upload(port))
        waiting = stack.enter_context(connected(port))
        waiting.sendall(GET)
        assert waiting.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        process.send_signal(signal.SIGTERM)
        assert next(line for line in lines if line["message"] == "Handling signal: term")
        refused_from_now_on(port)
        waiting.sendall(GET)
        answer = whole_answer(waiting)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Connection: close\r\n" in answer
        upload.sendall(b"login=ada@example.com&password=wrong")
        assert whole_answer(upload).startswith(b"HTTP/1.1 ")
        assert process.wait(30) == 0


@contextlib.contextmanager
def stalled_upload(port):
    with connected(port) as client:
        client.sendall(SLOW_POST.encode())
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        yield [client]


def refused_from_now_on(port):
    """Return when a connection is refused; each one before that is answered."""
    with contextlib.suppress(ConnectionRefusedError):
        while True:
            with connected(port) as client:
                client.sendall(LAST)
                assert whole_answer(client).startswith(b"HTTP/1.1 200 OK\r\n")


def test_tls_is_refused_at_the_start_with_a_sentence(tmp_path, capfd):
    with (
        pytest.raises(RuntimeError, match="StopIteration"),  # the log ended before the site was loaded
        gunicorn(tmp_path, GUNICORN_CMD_ARGS="--keyfile /dev/null --certfile /dev/null"),
    ):
        pass
    assert "TLS and HTTP/2 end at the proxy" in capfd.readouterr().err


def test_a_request_whose_client_left_while_it_waited_for_a_thread_is_not_run(tmp_path):
    named = FAVICON.replace(b"\r\n\r\n", b"\r\nConnection: close\r\nX-Request-ID: %s\r\n\r\n")
    with gunicorn(tmp_path) as (_process, port, lines):
        with connected(port) as staying:
            with stalled_uploads(port, THREADS):
                staying.sendall(named % b"staying")
                with connected(port) as leaving:
                    leaving.sendall(named % b"leaving")
                began = time.monotonic()
                while time.monotonic() - began < 1.5 * PATIENT_SECONDS:
                    assert asked(port, LAST).startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"404" in whole_answer(staying)
        asked(port, named % b"last")
        served = itertools.takewhile(lambda id: id != "last", (line.get("request_id") for line in lines))
        assert {"staying", "leaving"} & set(served) == {"staying"}
