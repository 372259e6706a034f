"""Measures the health answer: its rate against a bare WSGI callable, and its delay while all else is broken.

    python benchmarks/health.py rate      requests/s of both under the same plain gthread, and their ratio
    python benchmarks/health.py faults    p50 and p99 without database and S3, while four uploads crawl

Ends with 0 when the goal is met (ratio ≥ 0.9, p99 < 100 ms), else with 1. The rate is measured by `wrk` when
it is installed, else by Python processes, which take a large part of two cores themselves and so flatter the
slower one. health_beside.py compares our worker class, whose event loop answers, with other servers;
health_stalled.py asks it while a hundred uploads stall.
"""

import argparse
import contextlib
import multiprocessing
import re
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from practika import SITE
from servers import free_port, gunicorn, manage

REQUEST = b"GET /core/health/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
BARE_BODY = b'{"status": "healthy", "timestamp": 1640995200.123, "version": "1.0.0"}'
LENGTH = re.compile(rb"Content-Length: (\d+)\r\n(?:.+\r\n)*\r\n")
RATE_GOAL = 0.9
DELAY_GOAL_MS = 100
UPLOADS = 4


def bare(environ, start_response):
    """Answer anything by constant bytes: the least that any WSGI application does."""
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(BARE_BODY)))]
    start_response("200 OK", headers)
    return [BARE_BODY]


def delay_ms(port: int) -> float:
    """Return how long one request on a new connection took, as a load balancer probes."""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(REQUEST)
        receive_answer(client)
    return (time.perf_counter() - started) * 1000


def receive_answer(client: socket.socket) -> None:
    """Return when a whole answer came; RuntimeError when it is not a 200."""
    answer = client.recv(4096)
    while not (found := LENGTH.search(answer)) or len(answer) < found.end() + int(found[1]):
        more = client.recv(4096)
        if not more:
            raise RuntimeError(f"The server hung up after {answer[:80]!r}.")
        answer += more
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"Health answered {answer[:80]!r}.")


def rate_by_wrk(port: int, seconds: float) -> float:
    """Return requests/s as wrk counts them, on 8 kept-alive connections."""
    url = f"http://127.0.0.1:{port}/core/health/"
    command = ["wrk", "-t2", "-c8", f"-d{max(1, round(seconds))}s", url]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", found)[1])


def rate_by_processes(port: int, seconds: float) -> float:
    """Return requests/s of two processes with four kept-alive connections each."""
    with multiprocessing.Pool(2) as pool:
        return sum(pool.starmap(answered_by_one, [(port, seconds)] * 2)) / seconds


def answered_by_one(port: int, seconds: float) -> int:
    """Ask on four connections in turn until the time is over; return how many answers came."""
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
    answered, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        for client in clients:
            client.sendall(REQUEST)
        for client in clients:
            receive_answer(client)
        answered += len(clients)
    for client in clients:
        client.close()
    return answered


def measure_rate(rounds: int, seconds: float) -> bool:
    """Print both rates (medians of interleaved rounds) and their ratio; return whether it meets the goal."""
    by_wrk = shutil.which("wrk") is not None
    rate = rate_by_wrk if by_wrk else rate_by_processes
    found: dict[str, list[float]] = {"health": [], "bare": []}
    plain = ["--worker-class", "gthread"]
    with gunicorn(SITE, *plain) as health, gunicorn("health:bare", *plain) as bare_server:
        for _ in range(rounds):
            found["health"].append(rate(health.port, seconds))
            found["bare"].append(rate(bare_server.port, seconds))
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    ratio = medians["health"] / medians["bare"]
    print(f"load from {'wrk' if by_wrk else 'Python processes'}, median of {rounds} rounds of {seconds:g} s")
    print(f"health {medians['health']:.0f}/s, bare WSGI callable {medians['bare']:.0f}/s")
    print(f"ratio {ratio:.2f} (goal {RATE_GOAL})")
    return ratio >= RATE_GOAL


def measure_delays(samples: int) -> bool:
    """Print p50 and p99 of health while everything it does not need is broken; return whether p99 is fine."""
    with tempfile.TemporaryDirectory() as folder:
        environment = broken_soon(Path(folder))
        cookie = session_of_a_new_user(environment)
        with gunicorn(SITE, environment=environment) as server, contextlib.ExitStack() as stack:
            port = server.port
            crawling = [stack.enter_context(crawling_upload(port, cookie)) for _ in range(UPLOADS)]
            status_of(port, "/core/ready/")  # takes longer than the uploads need to find their session
            for path in Path(folder).glob("db.sqlite3*"):
                path.unlink()
            delays = sorted(delay_ms(port) for _ in range(samples))
            ready = status_of(port, "/core/ready/")
            running = sum(not upload.is_set() for upload in crawling)
    p50, p99 = delays[samples // 2], delays[samples * 99 // 100]
    print(f"database removed, S3 port closed, {running} of {UPLOADS} uploads crawling; ready: {ready}")
    print(f"health p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {delays[-1]:.1f} ms of {samples} new connections")
    print(f"goal p99 < {DELAY_GOAL_MS} ms")
    return p99 < DELAY_GOAL_MS and running == UPLOADS and ready == 503


def broken_soon(folder: Path) -> dict[str, str]:
    """Return an environment whose database is in the folder and whose S3 is a port where nobody listens."""
    return {
        "DJANGO_DB_NAME": str(folder / "db.sqlite3"),
        "DJANGO_MEDIA_ROOT": str(folder / "media"),
        "USE_S3": "True",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_STORAGE_BUCKET_NAME": "benchmark",
        "AWS_S3_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
    }


def session_of_a_new_user(environment: dict[str, str]) -> str:
    """Migrate, make a user, and return a session key, in a process that has this environment."""
    script = (
        "from django.contrib.auth import get_user_model; from django.core.management import call_command;"
        "from django.test import Client; call_command('migrate', verbosity=0);"
        "user = get_user_model()(email='ada@example.com'); user.save();"
        "client = Client(); client.force_login(user);"
        "print(client.session.session_key)"
    )
    return manage(environment, "shell", "--no-imports", "--command", script).split()[-1]


@contextlib.contextmanager
def crawling_upload(port: int, session: str) -> Iterator[threading.Event]:
    """Send an upload one byte at a time; the event is set when the server answered or hung up."""
    token = secrets.token_hex(16)
    head = (
        "POST /core/api/upload-video/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n"
        f"Cookie: sessionid={session}; csrftoken={token}\r\nX-CSRFToken: {token}\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
    )
    ended, closing = threading.Event(), threading.Event()
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(head.encode())

    def crawl() -> None:
        client.settimeout(0.1)
        while not closing.is_set():
            with contextlib.suppress(TimeoutError):
                client.sendall(b".")
                client.recv(1)
                ended.set()
                return

    sender = threading.Thread(target=crawl, daemon=True)
    sender.start()
    try:
        yield ended
    finally:
        closing.set()
        sender.join(5)
        client.close()


def status_of(port: int, path: str) -> int:
    """Return the status that the path answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return int(client.recv(4096).split()[1])


def main() -> None:
    """Run the measurement that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["rate", "faults"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--samples", type=int, default=2000)
    options = parser.parse_args()
    if options.what == "rate":
        met = measure_rate(options.rounds, options.seconds)
    else:
        met = measure_delays(options.samples)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
