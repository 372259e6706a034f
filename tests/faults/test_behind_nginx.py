"""Two servers behind nginx: one restarts and nobody notices; many are slow and nobody else waits."""

import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import requests

from core import long_bodies
from tests.faults.balanced import HOST, RESETS, SERVER, Balanced, balanced, restart
from tests.faults.site import CSRF, Sender, Site, until
from tests.faults.watching import missing_programs, watching
from tests.functional.backup_site import required
from tests.nginx import NGINX

pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")
FEW = 10


@pytest.fixture(scope="module")
def both(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balanced]:
    """The site behind nginx."""
    with (
        pytest.MonkeyPatch.context() as patch,
        balanced(prepared_site, tmp_path_factory.mktemp("balanced")) as made,
    ):
        patch.setenv("REQUESTS_CA_BUNDLE", made.certificate)
        yield made


def sender(site: Site, video: bytes) -> Sender:
    return Sender(site, video, token=uuid4().hex, recording=True).open()


class Load:
    """Visitors who ask again and again until told to stop; `answers` counts what they got, by kind."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, object]] = Counter()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def begin(self, kind: str, ask: Callable[[], requests.Response]) -> None:
        def go_on() -> None:
            while not self._over.wait(0.02):
                try:
                    answer: object = ask().status_code
                except requests.RequestException as error:
                    answer = repr(error)
                self.answers[kind, answer] += 1

        self._threads.append(threading.Thread(target=go_on))
        self._threads[-1].start()

    def goes_on(self) -> None:
        """Return when every kind was answered a few times more."""
        before = self.answers.copy()
        until(lambda: all(self.answers[key] >= count + FEW for key, count in before.items()), 60)


def test_one_server_restarts_after_the_other_and_no_request_fails(both: Balanced, video: bytes) -> None:
    pages, viewer, parts = both.visitor(), both.visitor(), sender(both, video)
    sent = viewer.post(
        f"{both.address}/core/api/upload-video/", {"name": "A dance"}, files={"video": video}, timeout=60
    )
    stream, ranged = f"{both.address}/core/videos/{sent.json()['id']}/stream/", {"Range": "bytes=100-4099"}
    with Load() as load:
        load.begin("page", lambda: pages.get(f"{both.address}/exercises/", timeout=60))
        load.begin("new line", lambda: requests.get(f"{both.address}/accounts/login/", timeout=60))
        load.begin("range", lambda: viewer.get(stream, headers=ranged, timeout=60))
        load.begin("part", lambda: parts.send(1))
        until(lambda: len(load.answers) >= 4, 60)
        for server in (both.a, both.b):
            assert restart(server) == 0
            load.goes_on()
    assert load.answers.keys() == {("page", 200), ("new line", 200), ("range", 206), ("part", 200)}


def test_two_servers_count_one_limit_together(both: Balanced) -> None:
    known = {"cookies": {"csrftoken": CSRF}, "headers": {"X-CSRFToken": CSRF, "Referer": f"{both.address}/"}}
    address, form = f"{both.address}/accounts/password/reset/", {"email": "ada@example.org"}
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(requests.post, address, form, **known, timeout=60) for _ in range(3 * RESETS)]
    answers = sorted((one.result() for one in asked), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200] * RESETS + [429] * (2 * RESETS)
    assert all(600 < int(answer.headers["Retry-After"]) <= 1200 for answer in answers[RESETS:])


def tls(site: Balanced, opening: bytes) -> socket.socket:
    line = socket.create_connection((HOST, site.https_port), timeout=30)
    made = ssl.create_default_context(cafile=site.certificate).wrap_socket(line, server_hostname=HOST)
    made.sendall(opening)
    return made


def half_open(site: Balanced) -> list[bytes]:
    """Half a head; half a form; a page that is not read."""
    host, form = f"Host: {HOST}:{site.https_port}\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"
    return [
        f"GET / HTTP/1.1\r\n{host[:9]}".encode(),
        f"POST /accounts/login/ HTTP/1.1\r\n{host}{form}Content-Length: 100\r\n\r\nlogin=".encode(),
        f"GET /exercises/ HTTP/1.1\r\n{host}Cookie: sessionid={site.session}; csrftoken={CSRF}\r\n\r\n".encode(),
    ]


def half_parts(site: Balanced, ben: Sender, count: int) -> Iterator[bytes]:
    """Yield requests that bring half of a part, each another part of one recording."""
    size = ben.upload["part_size_bytes"]
    for number in range(1, count + 1):
        link = ben.call("POST", f"{ben.upload['url']}parts/{number}/", {"size_bytes": size}).json()["url"]
        head = f"PUT {link} HTTP/1.1\r\nHost: {HOST}:{site.https_port}\r\nContent-Length: {size}\r\n\r\n"
        yield head.encode() + bytes(size // 2)


def test_fifty_slow_and_half_open_clients_keep_nobody_else_waiting(both: Balanced, video: bytes) -> None:
    ben = sender(both, video)
    held = both.media / "uploads" / ben.link(1).split("/")[6] / "parts"
    openings = [*half_open(both) * 10, *half_parts(both, ben, 20)]
    assert len(openings) == 50
    with contextlib.ExitStack() as slow:
        for opening in openings:
            slow.enter_context(tls(both, opening))
        until(lambda: len(list(held.glob("*.lock"))) >= long_bodies.MOST, 60)  # one of the two takes no more
        for path in ("/core/health/", "/accounts/login/", "/exercises/"):
            assert min(seconds_to_get(ben.visitor, both.address + path) for _ in range(3)) < 1


def refused_unread(site: Balanced, video: bytes) -> None:
    """Send what the site refuses before it has read it, in whatever way that ends."""
    with contextlib.suppress(requests.RequestException):
        files = {"video": video * 2}
        told = requests.post(f"{site.address}/core/api/upload-video/", {"name": "A"}, files=files, timeout=30)
        assert told.status_code in (401, 502)


def test_senders_who_are_refused_before_they_are_done_close_the_site_to_nobody(both: Balanced, video: bytes) -> None:
    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(refused_unread, both, video) for _ in range(20)]
        while not all(one.done() for one in sending):
            assert requests.get(f"{both.address}/core/health/", timeout=30).status_code == 200
        for one in sending:
            one.result()


def test_it_is_watched_from_in_and_outside_and_a_certificate_that_ends_wakes_somebody_up(both: Balanced, tmp_path):
    required(not missing_programs(), f"Of {missing_programs()}")
    with watching(both.address, certificate=both.certificate, token=SERVER["METRICS_TOKEN"], folder=tmp_path) as watch:
        until(lambda: watch.pages, 60, otherwise=lambda: str(watch.rules()))
        (alert,) = watch.pages[0]["alerts"]
        assert alert["labels"]["alertname"] == "PractikaCertificateEndsNow"  # that of the tests is valid for a day
        assert alert["annotations"]["runbook"] == "RUNBOOK.md#the-certificate-ends"
        for healthy in ("practika_ready", 'up{job="practika"}', "probe_success"):
            until(lambda healthy=healthy: watch.value(healthy) == [1], 30)
        until(lambda: {rule["health"] for rule in watch.rules()} == {"ok"}, 30)
        assert [rule["name"] for rule in watch.rules() if rule.get("alerts") and rule["state"] == "firing"] == [
            "PractikaCertificateEndsNow"
        ]


def seconds_to_get(visitor: requests.Session, url: str) -> float:
    began = time.monotonic()
    assert visitor.get(url, timeout=30).status_code == 200
    return time.monotonic() - began
