"""Readiness names what is not usable, to anybody, without ever hanging or giving reasons away."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone

from core.models import ProcessingJob, VideoAsset, Worker
from core.services import components, readiness
from core.services.readiness import CHECKS, Component, Readiness

READY = "/core/ready/"

# Checks run in threads with connections of their own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_is_shared_with_the_test_before(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(readiness, "READINESS", Readiness(CHECKS, shared_s=0))
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def database_in(monkeypatch):
    """Return a function after which new connections (those of the checks) open a file in that folder."""

    def point(folder):
        elsewhere = {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "db.sqlite3", "OPTIONS": {}}
        monkeypatch.setitem(connections.settings, "default", connections.settings["default"] | elsewhere)

    return point


def states(response, names=("database", "migrations", "storage")):
    return {name: response.json()["components"][name]["status"] for name in names}


@pytest.fixture
def worker():
    now = timezone.now()
    return Worker.objects.create(name="one", started_at=now, seen_at=now)


def test_a_usable_site_is_ready_and_says_how_long_each_check_took(client, worker):
    response = client.get(READY)

    assert response.status_code == 200
    assert response.json()["status"] == "ready"
    assert list(response.json()["components"]) == list(CHECKS)
    assert set(states(response, CHECKS).values()) == {"ok"}
    for component in response.json()["components"].values():
        assert component.keys() == {"status", "milliseconds"}
        assert 0 <= component["milliseconds"] < 5000


def test_the_answer_is_never_cached_and_asks_for_no_account(client):
    response = client.get(READY)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "application/json"
    assert not response.cookies


def test_probes_may_use_any_host_name_and_head(client):
    assert client.head(READY, headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.post(READY).status_code == 405


def test_a_database_that_cannot_be_opened_is_named_and_nothing_more(client, database_in):
    database_in(Path("/nowhere"))

    response = client.get(READY)

    assert response.status_code == 503
    assert response.json()["status"] == "unready"
    assert states(response) == {"database": "fail", "migrations": "fail", "storage": "ok"}
    assert "nowhere" not in response.content.decode()
    assert "rror" not in response.content.decode()


def test_a_database_behind_the_release_is_not_ready(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    try:
        assert states(client.get(READY)) == {"database": "ok", "migrations": "fail", "storage": "ok"}
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('sessions', '0001_initial', CURRENT_TIMESTAMP)"
            )
    assert client.get(READY).status_code == 200


@pytest.mark.one_stack("development", why="makes the local folder unusable")
def test_a_storage_that_cannot_be_written_is_not_ready_until_it_can(client, settings, tmp_path):
    usable = settings.MEDIA_ROOT
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    response = client.get(READY)
    assert response.status_code == 503
    assert states(response) == {"database": "ok", "migrations": "ok", "storage": "fail"}

    settings.MEDIA_ROOT = usable
    assert client.get(READY).status_code == 200


def test_the_storage_check_leaves_no_object_behind(client, settings):
    assert client.get(READY).status_code == 200
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


@pytest.mark.one_stack("development", why="makes the local folder unusable")
def test_a_failed_check_is_logged_with_its_reason(client, settings, tmp_path, caplog):
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    client.get(READY)
    failed = [record for record in caplog.records if record.message == "Readiness check failed"]
    assert "storage" in [record.component for record in failed]
    assert failed[0].exc_info
    assert not [record for record in caplog.records if record.name == "django.request"]


def test_without_a_worker_people_are_still_served_and_somebody_is_told(client, worker):
    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    response = client.get(READY)
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert states(response, ("worker", "queue")) == {"worker": "fail", "queue": "ok"}


def test_a_queue_that_stands_still_is_named(client, worker, ben, classroom):
    long_ago = timezone.now() - timedelta(hours=1)
    video = VideoAsset.objects.create(
        owner=ben, classroom=classroom, storage_path="x", size_bytes=1, mime_type="video/mp4", created_at=long_ago
    )
    ProcessingJob.objects.create(video=video, kind="verify", queued_at=long_ago, created_at=long_ago)
    response = client.get(READY)
    assert (response.json()["status"], states(response, ("queue",))) == ("degraded", {"queue": "fail"})


def test_a_full_disk_is_named(client, worker, monkeypatch):
    monkeypatch.setattr(components, "LEAST_FREE_BYTES", 1 << 62)
    response = client.get(READY)
    assert (response.json()["status"], states(response, ("disk",))) == ("degraded", {"disk": "fail"})


def test_a_cache_whose_table_is_missing_is_not_ready(client, worker, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "nowhere"}}
    response = client.get(READY)
    assert (response.status_code, states(response, ("cache",))) == (503, {"cache": "fail"})


def test_no_check_leaves_a_database_connection_open(client, database_in, tmp_path):
    database_in(tmp_path)
    opened = []

    def check():
        connection.ensure_connection()
        opened.append(connections["default"])

    assert all(component.ok for component in Readiness({"database": check}).components())
    assert opened[0].connection is None


def test_a_hung_check_fails_in_time_and_is_not_started_again_until_it_ended():
    release, starts = threading.Event(), []

    def hang():
        starts.append(1)
        release.wait(30)

    checks = Readiness({"hung": hang, "fine": lambda: None}, timeout_s=0.5, shared_s=0)
    for _ in range(3):
        hung, fine = checks.components()
        assert (hung.name, hung.ok) == ("hung", False)
        assert fine.ok
    assert len(starts) == 1

    release.set()
    checks.timeout_s = 30
    assert [component.ok for component in checks.components()] == [True, True]


def test_everybody_within_a_second_gets_the_same_answer():
    now, runs = [100.0], []
    checks = Readiness({"counted": lambda: runs.append(1)}, shared_s=1.0, clock=lambda: now[0])
    checks.components()
    now[0] += 0.9
    checks.components()
    assert len(runs) == 1
    now[0] += 0.2
    checks.components()
    assert len(runs) == 2


def test_callers_who_ask_at_once_wait_for_one_run():
    asked, release, runs, answers = threading.Barrier(4), threading.Event(), [], []

    def slow():
        runs.append(1)
        release.wait(30)

    checks = Readiness({"slow": slow}, shared_s=60)

    def ask():
        asked.wait(30)
        answers.append(checks.components())

    callers = [threading.Thread(target=ask) for _ in range(3)]
    for caller in callers:
        caller.start()
    asked.wait(30)
    release.set()
    for caller in callers:
        caller.join(30)
    assert len(runs) == 1
    assert len(answers) == 3
    assert all(isinstance(component, Component) and component.ok for component in answers[0])
