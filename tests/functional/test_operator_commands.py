"""What operators type: each command says how things are, and ends with 0, 1, or 2."""

import http.server
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.conf import settings as site_settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from core.models import AuditEvent
from core.operations.findings import find, find_all
from core.operations.smoke import check_headers
from core.operations.web import Answer
from core.storage.options import S3_STORAGE
from tests.functional.test_backup_postgres import server  # noqa: F401
from tests.functional.test_server import ROOT, environment, gunicorn
from tests.storage.conftest import s3_values


def run(*arguments, **options):
    """Return the exit code and what the command printed."""
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*arguments, stdout=out, stderr=err, **options)
    return ended.value.code, out.getvalue() + err.getvalue()


def lines_of(printed):
    """Return name → (state, rest) of the lines that a list of findings has."""
    cells = (line.split("  ", 1) for line in printed.splitlines() if not line.startswith("→"))
    return {rest.strip().split("  ")[0]: (state, rest) for state, rest in cells}


# ── smoke ─────────────────────────────────────────────────────────────────────────────────────────────────────

SMOKE = ["health", "ready", "static file", "anonymous upload", "log-in page", "security headers", "media closed",
         "request id"]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a real site, served by gunicorn."""
    folder = tmp_path_factory.mktemp("site")
    variables = {"DJANGO_DB_NAME": str(folder / "db.sqlite3"), "DJANGO_MEDIA_ROOT": str(folder / "media")}
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment(**variables), check=True, timeout=120)
    with gunicorn(folder, DJANGO_MEDIA_ROOT=variables["DJANGO_MEDIA_ROOT"]) as (_process, port, _lines):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def impostor(answer):
    """Serve what `answer(handler)` writes, as a site that is not Practika; yield its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{other.server_address[1]}"
    finally:
        other.shutdown()
        other.server_close()


def redirect(handler):
    handler.send_response(301)
    handler.send_header("Location", "https://elsewhere.example.org/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def plain_200(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", "5")
    handler.end_headers()
    handler.wfile.write(b"hello")


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        while handler.wfile.write(b" ") and not time.sleep(0.05):
            handler.wfile.flush()
    except OSError:
        pass


def test_a_running_site_passes_every_smoke_check(site):
    code, printed = run("smoke", site)
    assert code == 0, printed
    assert list(lines_of(printed)) == SMOKE
    assert "degraded: worker" in printed


def test_smoke_as_json_says_the_same(site):
    code, printed = run("smoke", site, "--json")
    told = json.loads(printed)
    assert (code, told["exit_code"], [check["name"] for check in told["checks"]]) == (0, 0, SMOKE)
    assert {check["state"] for check in told["checks"]} == {"ok"}


@pytest.mark.parametrize("answer", [redirect, plain_200], ids=["redirects", "another-site"])
def test_a_redirect_or_another_site_passes_nothing(answer):
    with impostor(answer) as url:
        code, printed = run("smoke", url)
    assert code == 1
    failed = {name for name, (state, _) in lines_of(printed).items() if state == "fail"}
    assert failed == set(SMOKE)


def test_https_without_hsts_or_with_a_loose_policy_fails():
    headers = {
        "content-security-policy": "default-src 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "DENY",
        "strict-transport-security": "max-age=31536000",
    }

    def found(**changed):
        shown = headers | {name.replace("_", "-"): value for name, value in changed.items()}
        return find("headers", lambda: check_headers(lambda _: Answer(200, shown, b"", 0.0), secure=True))

    assert found().state == "ok"
    assert "Strict-Transport-Security" in found(strict_transport_security="").detail
    assert (
        "Content-Security-Policy" in found(content_security_policy="default-src 'none'; img-src 'unsafe-eval'").detail
    )


def test_a_server_that_drips_is_left_in_time_and_is_2():
    with impostor(drip) as url:
        started = time.monotonic()
        code, printed = run("smoke", url, "--timeout", "0.3")
    assert code == 2
    assert time.monotonic() - started < 0.3 * len(SMOKE) + 3
    assert "no whole answer within 0.3 s" in printed


def test_nothing_that_listens_is_2_and_says_so():
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        code, printed = run("smoke", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert code == 2
    assert "nothing listens there" in printed


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://example.org", "http://", "http://a:b", "http://é.org"])
def test_what_is_no_address_is_2_with_a_sentence(url):
    code, printed = run("smoke", url)
    assert code == 2
    assert printed.count("\n") == 1


# ── preflight ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_a_site_that_could_start_passes_the_preflight_with_a_line_for_each():
    code, printed = run("preflight")
    assert code == 0, printed
    assert list(lines_of(printed)) == [
        "settings", "secret key", "storage", "storage round trip", "database", "migrations", "cache", "queue",
        "codecs", "static files", "disk",
    ]  # fmt: skip
    assert f"local: {site_settings.MEDIA_ROOT}" in printed
    assert "libx264, aac" in printed


@pytest.mark.django_db(transaction=True)
def test_the_preflight_shows_the_storage_in_effect_and_what_does_not_answer(settings):
    settings.USE_S3, settings.AWS_STORAGE_BUCKET_NAME, settings.S3_ORIGINS = True, "clips", ["http://127.0.0.1:9"]
    options = s3_values("http://127.0.0.1:9")
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": S3_STORAGE, "OPTIONS": options}}
    code, printed = run("preflight", "--json", "--timeout", "30")
    found = {check["name"]: check for check in json.loads(printed)["checks"]}
    assert code == 1
    assert found["storage"]["detail"] == "s3: bucket clips at http://127.0.0.1:9"
    assert found["storage round trip"]["state"] == "fail"
    assert found["storage round trip"]["hint"]


@pytest.mark.django_db(transaction=True)
def test_a_weak_key_fails_the_preflight_without_being_shown(settings):
    settings.SECRET_KEY = "weak-key-of-ours"
    code, printed = run("preflight")
    assert (code, lines_of(printed)["secret key"][0]) == (1, "fail")
    assert settings.SECRET_KEY not in printed


@pytest.mark.django_db(transaction=True)
def test_a_database_without_tables_fails_with_what_to_type(monkeypatch, tmp_path):
    elsewhere = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "db.sqlite3", "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "default", connections.settings["default"] | elsewhere)
    code, printed = run("preflight")
    states = {name: state for name, (state, _) in lines_of(printed).items()}
    assert code == 1
    assert [name for name, state in states.items() if state != "ok"] == ["migrations", "cache", "queue"]
    assert "→ migrations: python manage.py migrate" in printed


def test_bad_settings_end_the_preflight_with_their_sentences():
    done = subprocess.run([sys.executable, "manage.py", "preflight"], cwd=ROOT, capture_output=True, text=True,
                          env=environment(USE_S3="ture"), timeout=60)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "USE_S3 is 'ture', which is neither true nor false. Write True or False.\n"


def test_a_check_that_hangs_is_unknown_and_holds_nobody_up():
    release = threading.Event()
    found = find_all({"hung": lambda: str(release.wait(30)), "fine": lambda: "here"}, timeout_s=0.05)
    release.set()
    assert [(finding.name, finding.state) for finding in found] == [("hung", "unknown"), ("fine", "ok")]


# ── db_status ─────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_a_sqlite_file_tells_its_pages_and_passes_its_check(sqlite_file):
    code, printed = run("db_status", "--json", "--quick-check")
    told = json.loads(printed)
    assert (code, told["problems"]) == (0, [])
    assert (told["vendor"], told["journal_mode"], told["quick_check"]) == ("sqlite", "wal", "ok")
    assert told["size_bytes"] >= sqlite_file.stat().st_size > 0
    assert told["wal_bytes"] == sqlite_file.with_name("db.sqlite3-wal").stat().st_size


def test_a_held_write_lock_is_a_problem(sqlite_file):
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, printed = run("db_status")
    assert code == 1
    assert "→ Somebody holds the write lock" in printed
    assert run("db_status")[0] == 0


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
    assert told["problems"] == ["1 statements wait for a lock: look at blocked_by first."]
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


# ── audit ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def trail(ada, ben, classroom):
    """Three events: Ada's of an hour and of a week ago, and Ben's of now."""
    now = timezone.now()
    for who, action, hours in (
        (ada, "exercise.published", 1),
        (ada, "class.renamed", 24 * 7),
        (ben, "exercise.seen", 0),
    ):
        AuditEvent.objects.create(
            at=now - timedelta(hours=hours), actor=who, actor_label=str(who), action=action,
            object_type="exercise", object_id=f"{action}-key", address="192.0.2.1",
        )  # fmt: skip


def actions(*arguments):
    code, printed = run("audit", "--json", *arguments)
    assert code == 0
    return [event["action"] for event in json.loads(printed)]


def test_the_trail_is_listed_newest_first(trail):
    assert actions() == ["exercise.seen", "exercise.published", "class.renamed"]
    assert actions("--limit", "1") == ["exercise.seen"]
    code, printed = run("audit")
    assert code == 0
    assert printed.splitlines()[0].split()[2:] == [
        "exercise.seen", "ben@example.org", "192.0.2.1", "exercise:exercise.seen-key"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--actor", "ADA@example.org"], ["exercise.published", "class.renamed"]),
        (["--actor", "Ben"], ["exercise.seen"]),
        (["--action", "exercise"], ["exercise.seen", "exercise.published"]),
        (["--action", "exercise.published"], ["exercise.published"]),
        (["--action", "exer"], []),
        (["--object", "class.renamed-key"], ["class.renamed"]),
        (["--object", "exercise:class.renamed-key"], ["class.renamed"]),
        (["--object", "attempt"], []),
        (["--since", "2d"], ["exercise.seen", "exercise.published"]),
        (["--since", "30m"], ["exercise.seen"]),
        (["--since", "2099-01-01"], []),
        (["--since", "2020-01-01T00:00Z", "--actor", "ben"], ["exercise.seen"]),
    ],
)
def test_the_trail_is_narrowed_by_each_option(arguments, found, trail):
    assert actions(*arguments) == found


def test_a_person_is_found_by_their_key(trail, ben):
    assert actions("--actor", str(ben.pk)) == ["exercise.seen"]


@pytest.mark.parametrize("since", ["yesterday", "7", "2026-13-01", "99999w"])
def test_what_is_no_moment_is_2(db, since):
    code, printed = run("audit", "--since", since)
    assert code == 2
    assert "is no moment" in printed


def test_a_name_with_control_characters_does_nothing_to_the_terminal(db):
    AuditEvent.objects.create(at=timezone.now(), actor_label="\x1b[2J\nEve", action="seen", object_id="1")
    _, printed = run("audit")
    assert "\\x1b[2J\\nEve" in printed
    assert printed.count("\n") == 1
