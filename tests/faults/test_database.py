"""The database is down, frozen, read-only, full of other clients, or locked: people read that, nobody hangs, it passes.

The site is gunicorn on a PostgreSQL of the tests' own, which takes few connections.
"""

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

import psycopg
import pytest
import requests

from tests.faults.site import Site
from tests.servers.waiting import until

pytestmark = pytest.mark.xdist_group("database")
# The site gives up after at most 4 s. A machine under load may add to that, but hardly twice.
PROMISED_S, SOON_S = 5, 15
READING, WRITING = "/exercises/", "/accounts/profile/"


@pytest.fixture
def site(postgres_site: Site) -> Site:
    return postgres_site


def status(site: Site, path: str = READING) -> int:
    """Return what Ben's browser gets, in time, and never with a traceback."""
    started = time.monotonic()
    answer = site.visitor().get(site.address + path, timeout=2 * SOON_S, allow_redirects=False)
    assert time.monotonic() - started < SOON_S
    assert "Traceback" not in answer.text
    assert answer.status_code != 503 or answer.headers["Retry-After"] == "30"
    return answer.status_code


def told_in_time(site: Site) -> None:
    """Ask twice, get 503 twice, and at least once as soon as is promised."""
    seconds = []
    for _ in range(2):
        started = time.monotonic()
        assert status(site) == 503
        seconds.append(time.monotonic() - started)
    assert min(seconds) < PROMISED_S


def change_of_name(site: Site) -> int:
    sent = {"name": "Ben", "time_zone": "UTC"}
    answer = site.visitor().post(site.address + WRITING, sent, timeout=2 * SOON_S, allow_redirects=False)
    assert "Traceback" not in answer.text
    return answer.status_code


def lives_but_is_not_ready(site: Site) -> None:
    assert requests.get(f"{site.address}/core/health/", timeout=SOON_S).status_code == 200
    ready = requests.get(f"{site.address}/core/ready/", timeout=SOON_S)
    assert (ready.status_code, ready.json()["components"]["database"]["status"]) == (503, "fail")
    assert requests.get(f"{site.address}/static/css/base.css", timeout=SOON_S).status_code == 200


def test_down_and_back_with_the_next_request(site, database):
    assert status(site) == 200
    database.stop()
    try:
        told_in_time(site)
        lives_but_is_not_ready(site)
    finally:
        database.start()
    assert status(site) == 200


def test_restarted_between_two_requests_nobody_notices(site, database):
    assert status(site) == 200
    database.stop()
    database.start()
    assert status(site) == 200


def test_frozen_in_the_middle_of_a_query_others_are_told_soon(site, database):
    with psycopg.connect(database.url()) as other:
        other.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(_patient(site)))
        asking.start()
        until(lambda: database.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"), 30)
        database.freeze()
        try:
            told_in_time(site)
            lives_but_is_not_ready(site)
        finally:
            database.thaw()
    asking.join(60)
    assert answers == [200]
    assert status(site) == 200


def _patient(site: Site) -> int:
    return site.visitor().get(site.address + READING, timeout=90).status_code


def test_read_only_what_writes_is_refused_and_what_reads_is_served(site, database):
    database.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    database.sql("SELECT pg_reload_conf()")
    try:
        until(lambda: change_of_name(site) == 503, 30)  # the server's processes read the change one by one
        assert status(site) == 200
        assert requests.get(f"{site.address}/core/health/", timeout=SOON_S).status_code == 200
    finally:
        with psycopg.connect(database.url(), autocommit=True, options="-c default_transaction_read_only=off") as other:
            other.execute("ALTER SYSTEM RESET default_transaction_read_only")
            other.execute("SELECT pg_reload_conf()")
    until(lambda: change_of_name(site) == 302, 30)


def test_too_many_connections_of_others(site, database):
    with contextlib.ExitStack() as others:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held = others.enter_context(psycopg.connect(database.url(), autocommit=True))
                mine = "datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'held'"
                held.execute("SET application_name = 'held'")
                held.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")
        told_in_time(site)
        lives_but_is_not_ready(site)
    assert status(site) == 200


def test_sqlite_locked_by_somebody_else_what_reads_is_served_and_what_writes_is_refused(prepared_site: Site):
    prepared_site.start()
    try:
        with contextlib.closing(_locked(prepared_site.folder / "db.sqlite3")):
            assert status(prepared_site) == 200  # the first in an hour would note that Ben was here
            assert change_of_name(prepared_site) == 503
            assert requests.get(f"{prepared_site.address}/core/health/", timeout=SOON_S).status_code == 200
        assert change_of_name(prepared_site) == 302
    finally:
        prepared_site.stop()


def _locked(file: Path) -> sqlite3.Connection:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other
