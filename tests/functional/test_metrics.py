"""The figures for Prometheus: for whom they are, that they are right, and told while the database is away."""

import hashlib
import logging
from ipaddress import ip_network

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from core.log_output import NonBlockingHandler
from core.models import ProcessingJob
from core.second_cache import SecondCacheAway
from core.services import metrics as metrics_service
from core.services import readiness
from core.services.readiness import Readiness
from core.services.rendering import run_job
from core.services.storage import VideoStorageService
from tests import factories
from tests.functional.metrics_read import Metrics
from tests.functional.uploading import Uploader

METRICS = "/core/metrics/"


@pytest.fixture(autouse=True)
def one_check_of_readiness_that_is_quick(monkeypatch):
    monkeypatch.setattr(readiness, "READINESS", Readiness({"database": lambda: None}))


@pytest.fixture
def metrics(settings, db) -> Metrics:
    return Metrics(settings)


def test_without_a_token_configured_there_is_nothing(client, db):
    assert client.get(METRICS).status_code == 404


def test_a_wrong_token_is_401(client, db, settings):
    settings.METRICS_TOKEN = "right"
    for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer wröng"}):
        assert client.get(METRICS, headers=given).status_code == 401


@pytest.mark.parametrize(("address", "status"), [("10.1.2.3", 200), ("2001:db8::7", 200), ("192.0.2.1", 404)])
def test_from_a_network_that_is_named_no_token_is_asked(client, db, settings, address, status):
    settings.METRICS_NETWORKS = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]
    assert client.get(METRICS, REMOTE_ADDR=address).status_code == status


def test_the_figures_are_those_of_the_database(metrics, exercise):
    assert metrics.value("practika_videos", state="ready") == 1
    assert metrics.value("practika_video_bytes") == exercise.reference.size_bytes
    assert metrics.value("practika_uploads_unfinished") == 0
    assert metrics.value("practika_database_bytes") > 100_000
    assert metrics.value("practika_disk_free_bytes") > 0


def test_the_connections_of_a_server_are_told_with_their_limit_and_a_file_has_none(metrics):
    used, most = metrics.value("practika_database_connections"), metrics.value("practika_database_connections_limit")
    assert 0 < used < most if connection.vendor == "postgresql" else (used, most) == (0, 0)


def test_who_was_here_within_a_day_is_counted(metrics, ben, dee, as_user):
    with metrics.adding(1, "practika_people_seen"):
        as_user(ben).get("/exercises/")


def test_a_database_that_is_down_leaves_the_figures_of_the_processes(metrics, monkeypatch):
    down = Readiness({"database": lambda: 1 / 0, "disk": lambda: None})
    monkeypatch.setattr(readiness, "READINESS", down)
    text = metrics.text()
    assert 'practika_component_up{component="database"} 0.0' in text
    assert 'practika_component_up{component="disk"} 1.0' in text
    assert "practika_ready 0.0" in text
    assert "practika_requests_total" in text
    assert "practika_videos" not in text


def test_a_component_that_is_degraded_is_neither_up_nor_down(metrics, monkeypatch):
    def lacks_redis():
        raise SecondCacheAway("Redis does not answer.")

    monkeypatch.setattr(readiness, "READINESS", Readiness({"cache": lacks_redis}))
    assert metrics.value("practika_component_up", component="cache") == 0.5
    assert metrics.value("practika_ready") == 1


def test_a_database_that_fails_in_the_middle_is_no_error_of_the_answer(metrics, monkeypatch):
    def fails():
        with connection.cursor() as cursor:
            yield cursor.execute("SELECT nothing FROM nowhere")

    monkeypatch.setattr(metrics_service, "site_figures", fails)
    assert "practika_requests_total" in metrics.text()


def test_requests_are_counted_by_the_name_of_their_route_and_never_by_their_path(metrics, exercise, as_user, ben):
    path = f"/exercises/{exercise.pk}/"
    with metrics.adding(2, "practika_requests_total", route="exercises:detail", method="GET", status="200"):
        assert [as_user(ben).get(path).status_code for _ in range(2)] == [200, 200]
    with metrics.adding(1, "practika_request_seconds_count", route="none", method="GET"):
        assert Client().get("/nowhere/at/all/").status_code == 404
    with metrics.adding(1, "practika_requests_total", route="none", method="other", status="404"):
        Client().generic("PROPFIND", "/nowhere/")
    assert str(exercise.pk) not in metrics.text()
    assert "nowhere" not in metrics.text()


def test_log_ins_that_work_fail_and_come_too_often_are_counted(metrics, ben):
    with metrics.adding(1, "practika_logins_total", outcome="ok"):
        assert log_in("ben@example.org", "pass-Ben").status_code == 302
    with metrics.adding(3, "practika_logins_total", outcome="failed"):
        for _ in range(3):
            log_in("ben@example.org", "wrong")
    before = metrics.value("practika_logins_total", outcome="throttled")
    throttled = metrics.value("practika_throttled_total", route="account_login")
    answers = [log_in("ben@example.org", "wrong") for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert metrics.value("practika_logins_total", outcome="throttled") > before
    assert metrics.value("practika_throttled_total", route="account_login") - throttled == len(refused)


def log_in(email: str, password: str):
    return Client().post("/accounts/login/", {"login": email, "password": password})


def test_an_upload_in_parts_is_counted_from_opening_to_completion(metrics, ben, classroom, as_user, clip, settings):
    content = clip.read_bytes()
    sender = Uploader(as_user(ben), classroom, content)
    parts_here = 0 if settings.USE_S3 else 1  # to S3 they go past us, and only the whole is known
    with (
        metrics.adding(1, "practika_uploads_total", event="opened", way="parts"),
        metrics.adding(1, "practika_uploads_total", event="completed", way="parts"),
        metrics.adding(1, "practika_upload_parts_total", outcome="signed"),
        metrics.adding(parts_here, "practika_upload_parts_total", outcome="stored"),
        metrics.adding(parts_here, "practika_storage_seconds_count", operation="write", outcome="ok"),
        metrics.adding(1, "practika_storage_seconds_count", operation="finish", outcome="ok"),
        metrics.adding(len(content), "practika_upload_bytes_total", way="s3" if settings.USE_S3 else "parts"),
    ):
        sender.open()
        assert sender.open().status_code == 200  # the same again is not another
        sender.send(1)
        whole = {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        assert sender.post(f"{sender.upload['url']}completion/", whole).status_code in (200, 201, 202)


def test_an_upload_that_is_no_video_is_counted_with_its_reason(metrics, ben, classroom, as_user, tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("This is no video." * 100)
    with (
        metrics.adding(1, "practika_uploads_total", event="opened", way="form"),
        metrics.adding(1, "practika_uploads_total", event="failed", way="form"),
        metrics.adding(text.stat().st_size, "practika_upload_bytes_total", way="form"),
    ):
        answer = as_user(ben).post("/core/api/upload-video/", {"video": factories.upload_file(text), "name": "Text"})
        assert answer.status_code == 422
        code = answer.json()["code"]
    assert metrics.value("practika_upload_failures_total", code=code) >= 1


def test_processing_is_counted_by_kind_and_how_it_ended(metrics, exercise, settings):
    job = ProcessingJob.objects.get(kind="thumbnails")
    with metrics.adding(1, "practika_processing_seconds_count", kind="thumbnails", outcome="done"):
        run_job(job_id=job.pk)
    ProcessingJob.objects.update(state="queued")
    VideoStorageService().delete_video(exercise.reference.storage_path)
    with metrics.adding(1, "practika_processing_seconds_count", kind="thumbnails", outcome="refused"):
        run_job(job_id=job.pk)
    asked = "open" if settings.USE_S3 else "stat"
    assert metrics.value("practika_storage_seconds_count", operation=asked, outcome="absent") >= 1


def test_statements_and_the_cache_are_counted(metrics):
    with (
        metrics.adding(1, "practika_cache_calls_total", cache="database", operation="get", outcome="miss"),
        metrics.adding(1, "practika_cache_calls_total", cache="database", operation="get", outcome="hit"),
        metrics.adding(1, "practika_cache_calls_total", cache="database", operation="set", outcome="ok"),
    ):
        cache.get("metrics")
        cache.set("metrics", 1)
        assert cache.get("metrics") == 1
    before = metrics.value("practika_database_seconds_count", outcome="ok")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert metrics.value("practika_database_seconds_count", outcome="ok") > before


def test_log_lines_that_nobody_takes_are_counted(metrics):
    handler = NonBlockingHandler(-1, queue_bytes=0)
    with metrics.adding(2, "practika_log_lines_dropped_total"):
        for _ in range(2):
            handler.emit(logging.makeLogRecord({"msg": "lost"}))
    handler.close()
