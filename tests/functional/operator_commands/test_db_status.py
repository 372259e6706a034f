"""db_status says how the database is, and touches nothing."""

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import psycopg
import pytest
from django.db import connections

from tests.functional.operator_commands.command import run
from tests.functional.test_backup_postgres import server  # noqa: F401
from tests.functional.test_server import ROOT, environment


@pytest.fixture
def sqlite_file(tmp_path, monkeypatch, django_db_blocker):
    """A SQLite file that the site's connection opens, with a table in it."""
    path = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript("PRAGMA journal_mode=WAL; CREATE TABLE films (bytes BLOB)")
    made = connections.create_connection("default")
    made.settings_dict = made.settings_dict | {"NAME": str(path), "OPTIONS": {}}
    before = connections["default"]
    connections["default"] = made
    with django_db_blocker.unblock():
        yield path
        made.close()
    connections["default"] = before


@pytest.mark.one_stack("development", why="is about a SQLite file")
def test_a_sqlite_file_tells_its_pages_and_passes_its_check(sqlite_file):
    code, printed = run("db_status", "--json", "--quick-check")
    told = json.loads(printed)
    assert (code, told["problems"]) == (0, [])
    assert (told["vendor"], told["journal_mode"], told["quick_check"]) == ("sqlite", "wal", "ok")
    assert told["size_bytes"] >= sqlite_file.stat().st_size > 0
    assert told["wal_bytes"] == sqlite_file.with_name("db.sqlite3-wal").stat().st_size


@pytest.mark.one_stack("development", why="is about a SQLite file")
def test_a_held_write_lock_is_a_problem(sqlite_file):
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, printed = run("db_status")
    assert code == 1
    assert "→ Somebody holds the write lock" in printed
    assert run("db_status")[0] == 0


@pytest.mark.one_stack("development", why="is about a SQLite file")
def test_pages_that_hold_nothing_are_a_problem_from_64_mib_on(sqlite_file):
    with closing(sqlite3.connect(sqlite_file)) as database:
        database.execute("INSERT INTO films VALUES (zeroblob(80 * 1024 * 1024))")
        database.commit()
        database.execute("DELETE FROM films")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    code, printed = run("db_status")
    assert code == 1
    assert "of the file is empty: VACUUM" in printed


@pytest.mark.one_stack("development", why="is about a SQLite file")
def test_a_damaged_file_is_found(sqlite_file):
    with closing(sqlite3.connect(sqlite_file)) as database:
        database.executemany("INSERT INTO films VALUES (?)", [(bytes(3000),)] * 50)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with sqlite_file.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 4096)
    code, _ = run("db_status", "--quick-check")
    assert code in (1, 2)


def test_postgresql_tells_connections_locks_and_long_statements(server):  # noqa: F811
    url = server.url("postgres")
    with psycopg.connect(url, autocommit=True) as setup:
        setup.execute("CREATE TABLE IF NOT EXISTS films (id int PRIMARY KEY)")
        setup.execute("INSERT INTO films VALUES (1) ON CONFLICT DO NOTHING")
    with psycopg.connect(url) as holder:
        holder.execute("UPDATE films SET id = 1")
        held_by = holder.info.backend_pid
        with psycopg.connect(url, autocommit=True) as blocked, closing(psycopg.connect(url)) as looking:
            looking.autocommit = True
            waits = threading.Thread(target=lambda: blocked.execute("UPDATE  films\nSET id = 1"))
            waits.start()
            try:
                while not looking.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone():
                    pass
                done = status(url)
            finally:
                holder.rollback()
                waits.join(30)
    told = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert "1 statements wait for a lock: look at blocked_by first." in told["problems"]
    (waiting,) = told["waiting_for_locks"]
    assert waiting["statement"] == "UPDATE films SET id = 1"
    assert waiting["blocked_by"] == f"{{{held_by}}}"
    assert told["max_connections"] > told["connections"] >= 3
    assert "films" in [table["name"] for table in told["largest_tables"]]
    quiet = status(url)
    assert (quiet.returncode, json.loads(quiet.stdout)["problems"]) == (0, [])


def status(url):
    variables = environment(DATABASE_URL=url)
    return subprocess.run([sys.executable, "manage.py", "db_status", "--json"], cwd=ROOT, env=variables,
                          capture_output=True, text=True, timeout=60)  # fmt: skip


def test_no_database_is_2():
    done = status("postgres://nobody@127.0.0.1:9/none")
    assert done.returncode == 2
    assert "The database does not answer" in done.stderr
