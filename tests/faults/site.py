"""A real site in a folder: gunicorn on a database and media of its own, killed and started again at will.

`has_worker` runs the worker beside it, which outlives `kill`, until `stop`.
"""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.functional.test_server import ROOT, environment
from tests.once import made_once
from tests.servers.waiting import until

# A class with one person who is logged in, and another if they lead it; prints its id and the session's key.
PREPARE = """
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from accounts.models import Classroom, Membership
from tests import factories
classroom, ben = Classroom.objects.create(name="Films"), factories.person("Ben")
Membership.objects.create(user=ben, classroom=classroom, role=ROLE)
if ROLE == "instructor":
    other = Classroom.objects.create(name="Songs")
    Membership.objects.create(user=ben, classroom=other, role=ROLE)
request = HttpRequest()
request.session = SessionStore()
login(request, ben, backend="allauth.account.auth_backends.AuthenticationBackend")
request.session.save()
print(classroom.pk, request.session.session_key)
"""
CSRF = "a" * 32
START_S = 60


@dataclass
class Site:
    """The folder of a site; `address` while it runs, each of its processes as an argument of `prefix`.

    `is_plain`: Django's own server stands for gunicorn.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    role: str = "learner"
    has_worker: bool = False
    prefix: tuple[str, ...] = ()
    is_plain: bool = False
    application: str = "practika_project.wsgi:application"
    classroom: str = ""
    session: str = ""
    port: int = 0
    process: subprocess.Popen | None = None
    worker: subprocess.Popen | None = None

    def __post_init__(self) -> None:
        self.media = self.folder / "media"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        own = {
            "DJANGO_DB_NAME": str(self.folder / "db.sqlite3"),
            "DJANGO_MEDIA_ROOT": str(self.media),
            "PYTHONPATH": str(ROOT),
            "WEB_CONCURRENCY": "2",
            "PRACTIKA_LIMIT_UPLOADS": "900000/1s,900000/1s",  # Ben sends for hundreds
        }
        return environment(**own | self.variables)

    def prepare(self) -> None:
        self.run("migrate", "--verbosity", "0")
        self.classroom, self.session = self.shell(f"ROLE = {self.role!r}\n{PREPARE}").split()[-2:]

    def copied_to(self, folder: Path, variables: dict[str, str], **changed: Any) -> "Site":
        """Return another site with the same people, in `folder`."""
        with (
            closing(sqlite3.connect(self.folder / "db.sqlite3")) as mine,
            closing(sqlite3.connect(folder / "db.sqlite3")) as its,
        ):
            mine.backup(its)
        return Site(folder, variables, classroom=self.classroom, session=self.session, **changed)

    def run(self, *command: str) -> str:
        return subprocess.run(
            [*self.prefix, sys.executable, "manage.py", *command], cwd=ROOT, env=self.env, check=True, timeout=120,
            stdout=subprocess.PIPE, text=True,
        ).stdout  # fmt: skip

    def shell(self, script: str) -> str:
        return self.run("shell", "--no-imports", "-c", script)

    def start(self, *options: str) -> None:
        address = f"127.0.0.1:{self.port}"
        command = ["-m", "gunicorn", self.application, "--bind", address]
        if self.is_plain:
            command = ["manage.py", "runserver", "--noreload", address]
        self.process = self._spawn([sys.executable, *command, *options], start_new_session=True)
        if self.has_worker and self.worker is None:
            self.start_worker()
        until(lambda: self._is_up(), START_S)

    def start_worker(self) -> None:
        self.worker = self._spawn([sys.executable, "manage.py", "worker"])

    def kill(self) -> None:
        """End the master and its workers at once, as the kernel would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def stop(self) -> None:
        """End everything that runs."""
        self.kill()
        self.kill_worker()

    def kill_worker(self) -> None:
        """End the worker at once; `start` starts another."""
        if self.worker is not None:
            self.worker.kill()
            self.worker.wait(30)
            self.worker = None

    def visitor(self) -> requests.Session:
        """Return Ben's browser."""
        made = requests.Session()
        made.cookies.update({"sessionid": self.session, "csrftoken": CSRF})
        made.headers["X-CSRFToken"] = CSRF
        return made

    def _spawn(self, command: list[str], **options: Any) -> subprocess.Popen:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen([*self.prefix, *command], cwd=ROOT, env=self.env, stdout=log, stderr=log, **options)

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self.address}/core/health/", timeout=5).ok
        except requests.RequestException:
            return False


def prepared_once(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site with its class and its learner, made once for all tests; only copies of it may be used."""

    def prepare(folder: Path) -> None:
        made = Site(folder)
        made.prepare()
        (folder / "people").write_text(json.dumps({"classroom": made.classroom, "session": made.session}))

    shared = made_once(tmp_path_factory, "people", prepare)
    return Site(shared, **json.loads((shared / "people").read_text()))


class Sender:
    """Ben sending one video in parts to a running site; `address` is that of a line to it."""

    def __init__(
        self, site: Site, content: bytes, *, token: str = "token-0001", recording: bool = False, address: str = ""
    ):
        self.site, self.content, self.visitor = site, content, site.visitor()
        self.address = address or site.address
        self.fields = {
            "client_token": token,
            "file_name": "a.mp4",
            "mime_type": "video/mp4",
            "classroom": site.classroom,
        }
        self.fields["size_bytes"] = None if recording else len(content)
        self.upload: dict[str, Any] = {}

    def open(self) -> "Sender":
        answer = self.call("POST", "/core/api/uploads/", self.fields)
        assert answer.ok, answer.text
        self.upload = answer.json()
        return self

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.visitor.request(method, self.address + path, json=body, timeout=60)

    def part(self, number: int) -> bytes:
        size = self.upload["part_size_bytes"]
        return self.content[(number - 1) * size : number * size]

    def link(self, number: int) -> str:
        answer = self.call("POST", f"{self.upload['url']}parts/{number}/", {"size_bytes": len(self.part(number))})
        assert answer.ok, answer.text
        url = answer.json()["url"]
        return self.address + url if url.startswith("/") else url

    def send(self, number: int) -> requests.Response:
        return requests.put(self.link(number), self.part(number), timeout=60)

    def send_all(self) -> None:
        for number in self.numbers():
            assert self.send(number).status_code == 200

    def numbers(self) -> range:
        return range(1, -(-len(self.content) // self.upload["part_size_bytes"]) + 1)

    def complete(self) -> requests.Response:
        return self.call("POST", self.upload["completion_url"], {"size_bytes": len(self.content)})

    def look(self) -> dict[str, Any]:
        return self.call("GET", self.upload["url"]).json()

    def held(self) -> list[int]:
        return [part["number"] for part in self.look()["parts"]]

    @contextlib.contextmanager
    def half_a_part(self, number: int) -> Iterator[socket.socket]:
        """Send the first half of a part, and go on holding the connection."""
        path = self.link(number).removeprefix(self.address)
        lock = self.site.media / "uploads" / path.split("/")[4] / "parts" / f"{number}.lock"
        with self._half_sent(path, number) as line:
            until(lambda: lock.exists(), 30)
            yield line

    def late_half(self, number: int) -> Callable[[], bytes]:
        """Ask for a link; what is returned sends half of the part by it, hangs up, and returns the answer."""
        path = self.link(number).removeprefix(self.address)

        def send() -> bytes:
            with self._half_sent(path, number) as line:
                with contextlib.suppress(OSError):  # the server may have answered already, and closed
                    line.shutdown(socket.SHUT_WR)
                return line.recv(65536)

        return send

    @contextlib.contextmanager
    def _half_sent(self, path: str, number: int) -> Iterator[socket.socket]:
        content = self.part(number)
        head = f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.site.port), timeout=30) as line:
            line.sendall(head.encode() + content[: len(content) // 2])
            yield line
