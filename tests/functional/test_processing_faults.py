"""Processing that goes wrong: a dead worker, a lost task, a storage that is away, a file or a video that is gone."""

import os
import signal
from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.media.facts import Limits, refusal
from core.models import ProcessingJob, Rendition, StorageDeletion, VideoAsset
from core.services import makers
from core.services.deletions import sweep_deletions
from core.services.jobs import JobLost, finish_job, note_progress, take_job
from core.services.makers import MAKERS
from core.services.processing import cancel_job, reap_jobs, retry_job
from core.services.pruning import prune_uploads
from core.services.rendering import STOPPING, run_job
from core.services.storage import VideoStorageService
from core.services.videos import delete_video_asset
from core.storage.base import ObjectNotFound
from tests import factories, videos
from tests.functional.preparing import expire, jobs_of, run_tasks, stored
from tests.functional.test_worker_process import children_of


def test_a_file_that_turns_out_damaged_fails_at_once_with_its_reason(ben, classroom, webm, as_user):
    video = stored(ben, classroom, webm)
    factories.store_instead(video.storage_path, webm.read_bytes()[:200])
    run_tasks()
    job = jobs_of(video)["web"]
    assert (job.state, job.tries) == ("failed", 1)
    page = as_user(ben).get(f"/core/videos/{video.pk}/processing/").content.decode()
    assert "could not be prepared" in page
    assert "The original was kept" in page


def test_an_original_that_is_gone_fails_with_a_sentence(ben, classroom, webm, as_user):
    video = stored(ben, classroom, webm)
    VideoStorageService().delete_video(video.storage_path)
    run_tasks()
    assert {job.error_code for job in jobs_of(video).values()} == {"object_missing"}
    page = as_user(ben).get(f"/core/videos/{video.pk}/processing/").content.decode()
    assert "Please send it again." in page
    assert "was kept" not in page


def test_a_job_of_a_dead_worker_comes_back_and_is_given_up_after_three(ben, classroom, webm):
    job = jobs_of(stored(ben, classroom, webm))["web"]
    DBTaskResult.objects.all().update(status="SUCCESSFUL")
    for tries in (1, 2, 3):
        assert take_job(job_id=job.pk).tries == tries
        assert take_job(job_id=job.pk) is None
        expire(job)
        reaped = reap_jobs()
        assert (reaped.returned, reaped.given_up) == ((1, 0) if tries < 3 else (0, 1))
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "worker_lost")
    assert retry_job(job=job)
    job.refresh_from_db()
    assert (job.state, job.tries) == ("queued", 0)
    assert not retry_job(job=job)


def test_a_waiting_job_whose_task_was_lost_gets_a_new_one_and_only_one(ben, classroom, webm):
    video = stored(ben, classroom, webm)
    assert reap_jobs().queued == 0
    DBTaskResult.objects.all().delete()
    assert [reap_jobs().queued, reap_jobs().queued] == [2, 0]
    DBTaskResult.objects.update(status="RUNNING", started_at=timezone.now())
    assert reap_jobs().queued == 0
    DBTaskResult.objects.update(started_at=timezone.now() - timedelta(minutes=3))
    assert reap_jobs().queued == 2
    run_tasks()
    assert {job.state for job in jobs_of(video).values()} == {"done"}


def test_a_worker_that_was_thought_dead_changes_nothing_when_it_comes_back(ben, classroom, webm):
    video = stored(ben, classroom, webm)
    late = take_job(job_id=jobs_of(video)["web"].pk)
    expire(late)
    reap_jobs()
    again = take_job(job_id=late.pk)
    for attempt in (lambda: note_progress(job=late, percent=50), lambda: finish_job(job=late)):
        with pytest.raises(JobLost):
            attempt()
    again.refresh_from_db()
    assert (again.state, again.percent, again.fence) == ("running", 0, late.fence + 1)


def test_what_a_lost_job_had_stored_is_swept(ben, classroom, webm, monkeypatch):
    video = stored(ben, classroom, webm)
    job = jobs_of(video)["web"]
    monkeypatch.setattr("core.services.rendering.finish_job", lambda job: cancel_job(job=job) and lose())
    run_job(job_id=job.pk)
    assert not Rendition.objects.filter(video=video, kind="web").exists()
    left = StorageDeletion.objects.get().storage_path
    sweep_deletions(before=timezone.now())
    with pytest.raises(ObjectNotFound):
        VideoStorageService().backend.stat(left)


def lose() -> None:
    raise JobLost


def test_storage_that_is_away_gives_the_job_back_and_three_times_ends_it(ben, classroom, webm, monkeypatch):
    from core.storage.base import StorageUnavailable

    video = stored(ben, classroom, webm)
    job = jobs_of(video)["web"]

    def away(*args, **kwargs):
        raise StorageUnavailable("The disk is away.")

    monkeypatch.setattr("core.services.makers.store_file", away)
    states = []
    for _ in range(3):
        run_job(job_id=job.pk)
        job.refresh_from_db()
        states.append((job.state, job.error_code))
    assert states == [("queued", "unavailable"), ("queued", "unavailable"), ("failed", "unavailable")]
    assert list(VideoAsset.objects.get().renditions.values_list("kind", flat=True)) == ["poster"]


def test_what_was_away_is_tried_again_after_a_minute_and_then_after_five(ben, classroom, clip):
    job = jobs_of(stored(ben, classroom, clip))["thumbnails"]
    DBTaskResult.objects.all().delete()
    for tries, rest in ((1, 1), (2, 5)):
        jobs = ProcessingJob.objects.filter(pk=job.pk)
        jobs.update(error_code="unavailable", tries=tries, queued_at=timezone.now() - timedelta(minutes=rest - 0.5))
        assert reap_jobs().queued == 0
        jobs.update(queued_at=timezone.now() - timedelta(minutes=rest + 0.5))
        assert reap_jobs().queued == 1
        DBTaskResult.objects.all().delete()


def test_a_worker_told_to_stop_gives_a_long_job_back_untried(ben, classroom, webm, monkeypatch, settings):
    job = jobs_of(stored(ben, classroom, webm))["web"]
    monkeypatch.setattr(STOPPING, "_since", float("-inf"))
    monkeypatch.setattr("core.media.confined._TICK_S", 0.0)
    run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.tries, job.error_code) == ("queued", 0, "")
    assert [path.name for path in settings.INCOMING_ROOT.iterdir()] == []


def test_a_video_deleted_while_it_is_processed_ends_the_work_quietly(ben, classroom, webm, monkeypatch, settings):
    video = stored(ben, classroom, webm)
    job = jobs_of(video)["web"]

    def delete_first(*args, **kwargs):
        delete_video_asset(video=VideoAsset.objects.get(pk=video.pk), now=timezone.now())
        return real(*args, **kwargs)

    real = makers.store_file
    monkeypatch.setattr(makers, "store_file", delete_first)
    run_job(job_id=job.pk)
    assert not Rendition.objects.exists()
    assert [path.name for path in settings.INCOMING_ROOT.iterdir()] == []


def test_a_child_that_was_killed_is_tried_again_and_three_times_ends_it(ben, classroom, webm, monkeypatch):
    job = jobs_of(stored(ben, classroom, webm))["web"]
    monkeypatch.setattr("core.media.confined._TICK_S", 0.0)
    monkeypatch.setattr("core.services.rendering.note_progress", lambda **_: None)
    monkeypatch.setattr("core.services.rendering._progress_of", lambda *_: kill_the_child)
    states = []
    for _ in range(3):
        run_job(job_id=job.pk)
        job.refresh_from_db()
        states.append((job.state, job.error_code))
    assert states == [("queued", "worker_lost"), ("queued", "worker_lost"), ("failed", "worker_lost")]


def kill_the_child(percent: int) -> None:
    for child in children_of(os.getpid()):
        os.kill(child, signal.SIGKILL)


def test_a_worker_that_was_thought_dead_refuses_nothing_when_it_comes_back(ben, classroom, tmp_path, monkeypatch):
    video = factories.uploaded(ben, classroom, videos.noise(tmp_path))
    job = jobs_of(video)["verify"]

    def lose_and_refuse(*_):
        expire(job)
        reap_jobs()
        raise refusal("not_a_video", Limits())

    monkeypatch.setitem(MAKERS, "verify", lose_and_refuse)
    run_job(job_id=job.pk)
    video.refresh_from_db()
    job.refresh_from_db()
    assert (video.state, job.state, job.error_code) == ("checking", "queued", "")


def test_what_a_killed_worker_left_goes_with_the_next_try_or_with_the_sweep(ben, classroom, webm, settings):
    web, thumbnails = (jobs_of(stored(ben, classroom, webm))[kind] for kind in ("web", "thumbnails"))
    for job in (web, thumbnails):
        (settings.INCOMING_ROOT / f"job-{job.pk}-0").mkdir()
        (settings.INCOMING_ROOT / f"job-{job.pk}-0" / "web.mp4").write_bytes(b"half a film")
    run_job(job_id=web.pk)
    assert [path.name for path in settings.INCOMING_ROOT.iterdir()] == [f"job-{thumbnails.pk}-0"]
    take_job(job_id=thumbnails.pk)
    (settings.INCOMING_ROOT / f"job-{thumbnails.pk}-1").mkdir()
    assert prune_uploads(now=timezone.now()).incoming_files == 1
    assert [path.name for path in settings.INCOMING_ROOT.iterdir()] == [f"job-{thumbnails.pk}-1"]
