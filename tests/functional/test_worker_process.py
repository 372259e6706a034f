"""Real worker processes on a database of their own: killed, told to stop, and side by side."""

import contextlib
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.faults.site import prepared_once
from tests.functional.test_server import ROOT, environment

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

# Stores two WebM videos, which need a version for every device; the long one takes a worker some seconds.
STORE = """
import pathlib
from django.utils import timezone
from accounts.models import Classroom
from core.media.clips import write_clip
from core.services.videos import store_video
from tests import factories
owner, classroom = factories.person("Zoe"), Classroom.objects.create(name="Films")
for seconds in SECONDS:
    path = write_clip(pathlib.Path(FOLDER) / "film.webm", seconds=seconds, size=(640, 360),
                      video_codec="libvpx", audio_codec="libopus")
    store_video(received=factories.received(path, "film.webm"), owner=owner, classroom=classroom, now=timezone.now())
"""
LEASES_END = "UPDATE core_processingjob SET lease_ends_at = '2020-01-01 00:00:00.000' WHERE state = 'running'"
REAP_NOW = "UPDATE core_scheduledrun SET last_started_at = NULL"


class Site:
    """A database and a media folder, and worker processes on them."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        self.database_url = database_url or f"sqlite:///{folder / 'db.sqlite3'}"
        self.env = environment(
            DATABASE_URL=self.database_url, DJANGO_MEDIA_ROOT=str(folder / "media"), PYTHONPATH=str(ROOT)
        )

    def manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env, check=True, timeout=120,
                       stdout=subprocess.DEVNULL)  # fmt: skip

    def store(self, *seconds: float) -> None:
        """Store a video of each length."""
        self.manage("shell", "-c", f"FOLDER, SECONDS = {str(self.folder)!r}, {seconds!r}\n{STORE}")

    def sql(self, statement: str) -> list[tuple]:
        connect = psycopg.connect if self.database_url.startswith("postgres") else sqlite3.connect
        where = self.database_url.removeprefix("sqlite:///")
        with contextlib.closing(connect(where)) as database, database:
            return database.execute(statement).fetchall()

    @contextlib.contextmanager
    def worker(self, *arguments: str) -> Iterator[tuple[subprocess.Popen, Iterator[dict]]]:
        process = subprocess.Popen([sys.executable, "manage.py", "worker", *arguments], cwd=ROOT, env=self.env,
                                   stdout=subprocess.PIPE, text=True)  # fmt: skip
        try:
            yield process, map(json.loads, process.stdout)
        finally:
            process.kill()
            process.wait(30)
            process.stdout.close()


@pytest.fixture
def site(tmp_path, tmp_path_factory) -> Site:
    """A site on SQLite with an empty queue."""
    prepared_once(tmp_path_factory).copied_to(tmp_path, {})
    return Site(tmp_path)


@pytest.fixture
def postgresql_site(tmp_path, postgresql_url) -> Site:
    """The same on PostgreSQL."""
    made = Site(tmp_path, postgresql_url)
    made.manage("migrate", "--verbosity", "0")
    return made


def wait_for(lines: Iterator[dict], message: str, **fields: str) -> dict:
    return next(line for line in lines if line["message"] == message and fields.items() <= line.items())


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at children through /proc, which is Linux")
def test_a_killed_worker_takes_its_child_with_it_and_another_one_finishes_the_video(site):
    site.store(6)
    with site.worker() as (process, lines):
        wait_for(lines, "Processing started", kind="web")
        while not (children := children_of(process.pid)):
            os.sched_yield()
        handles = [os.pidfd_open(child) for child in children]
        process.kill()
        process.wait(30)
        for handle in handles:
            _ended(handle)
    assert site.sql("SELECT state, tries FROM core_processingjob WHERE kind = 'web'") == [("running", 1)]
    site.sql(LEASES_END)
    site.sql(REAP_NOW)
    with site.worker() as (process, lines):
        wait_for(lines, "Processing done", kind="web")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert site.sql("SELECT state, tries, percent FROM core_processingjob WHERE kind = 'web'") == [("done", 2, 100)]


def _ended(handle: int) -> None:
    """Wait until the process behind a pidfd has ended: the descriptor becomes readable then (pidfd_open(2))."""
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    assert poller.poll(20_000)
    os.close(handle)


def test_a_worker_told_to_stop_finishes_the_video_at_hand_and_ends_with_0(site):
    site.store(2)
    with site.worker() as (process, lines):
        wait_for(lines, "Processing started", kind="web")
        process.send_signal(signal.SIGTERM)
        wait_for(lines, "Processing done", kind="web")
        assert process.wait(30) == 0
    assert site.sql("SELECT state, tries FROM core_processingjob WHERE kind = 'web'") == [("done", 1)]
    assert site.sql("SELECT count(*) FROM core_worker") == [(0,)]


def test_an_idle_worker_shows_that_it_lives_and_stops_at_once(site):
    with site.worker() as (process, lines):
        wait_for(lines, "Worker ready")
        assert site.sql("SELECT count(*) FROM core_worker") == [(1,)]
        site.manage("worker", "--alive")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_worker_pauses_while_the_site_is_closed(site):
    site.store(1)
    closed = site.folder / "media" / ".maintenance.json"
    closed.touch()
    with site.worker() as (_, lines):
        wait_for(lines, "Worker ready")
        still_closed_at = datetime.now(UTC)
        closed.unlink()
        started = wait_for(lines, "Processing started")
        assert datetime.fromisoformat(started["timestamp"]) > still_closed_at
        assert site.sql("SELECT tries FROM core_processingjob WHERE kind = 'web'") == [(1,)]


@pytest.mark.parametrize("stored_in", ["site", "postgresql_site"])
def test_three_workers_at_once_do_every_job_once(stored_in, request):
    site = request.getfixturevalue(stored_in)
    site.store(0.5, 0.5, 0.5, 0.5)
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(site.worker("--batch")) for _ in range(3)]
        lines = [line for _, said in workers for line in said]
        assert [process.wait(60) for process, _ in workers] == [0, 0, 0]
    started = [line["job_id"] for line in lines if line["message"] == "Processing started"]
    assert len(set(started)) == len(started) == 8
    assert site.sql("SELECT DISTINCT state, tries FROM core_processingjob") == [("done", 1)]
