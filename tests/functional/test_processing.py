"""Processing: what a video needs is queued with it, prepared once, and then plays for those who may see it."""

from datetime import timedelta
from pathlib import Path

import av
import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.models import ProcessingJob, StorageDeletion, VideoAsset
from core.services.jobs import note_progress, take_job
from core.services.processing import cancel_job, queue_processing
from core.services.rendering import run_job
from core.services.storage import VideoStorageService
from core.services.videos import attach_video
from tests import videos
from tests.functional.playing import play
from tests.functional.preparing import jobs_of, run_tasks, stored


def test_what_plays_everywhere_is_ready_at_once_and_only_gets_thumbnails(ben, classroom, clip):
    video = stored(ben, classroom, clip, "clip.mp4")
    assert (video.state, video.need, set(jobs_of(video))) == ("ready", "nothing", {"thumbnails"})


def test_another_format_is_prepared_and_then_plays_as_mp4(ben, classroom, webm, as_user):
    video = stored(ben, classroom, webm)
    url = f"/core/videos/{video.pk}/stream/"
    before = play(as_user(ben), url)
    assert before.headers["Content-Type"] == "video/webm"
    run_tasks()
    assert {kind: job.state for kind, job in jobs_of(video).items()} == {"web": "done", "thumbnails": "done"}
    after = play(as_user(ben), url)
    assert after.headers["Content-Type"] == "video/mp4"
    assert (after.content[4:8], after.headers["ETag"] != before.headers["ETag"]) == (b"ftyp", True)
    assert set(video.renditions.values_list("kind", flat=True)) == {"poster", "web", "sprite", "vtt"}
    assert not StorageDeletion.objects.exists()


def test_thumbnails_are_a_picture_and_a_map_that_names_it(ben, cyd, classroom, clip, as_user, caplog):
    video = stored(ben, classroom, clip)
    path = f"/core/videos/{video.pk}/thumbnails"
    assert as_user(ben).get(f"{path}.vtt").status_code == 404
    run_tasks()
    vtt = as_user(ben).get(f"{path}.vtt")
    assert (vtt["Content-Type"], vtt.content[:6]) == ("text/vtt", b"WEBVTT")
    assert b"thumbnails.jpg#xywh=0,0," in vtt.content
    assert play(as_user(ben), f"{path}.jpg").headers["Content-Type"] == "image/jpeg"
    assert [as_user(cyd).get(f"{path}.{kind}").status_code for kind in ("vtt", "jpg")] == [404, 404]
    VideoStorageService().delete_video(video.renditions.get(kind="vtt").storage_path)
    assert as_user(ben).get(f"{path}.vtt").status_code == 404
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["Stored object missing"]


TAGS = {"movflags": "use_metadata_tags"}


def located_mp4(folder: Path) -> Path:
    """Return a video as a phone writes it: with the place in its metadata."""
    target = folder / "located.mp4"
    with av.open(str(videos.phone_mp4(folder))) as read, av.open(str(target), "w", options=TAGS) as written:
        written.metadata["com.apple.quicktime.location.ISO6709"] = "+48.8577+002.2950/"
        copies = {stream.index: written.add_stream_from_template(stream) for stream in read.streams}
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                written.mux(packet)
    return target


def test_an_original_that_tells_where_it_was_filmed_goes_to_its_owner_only(
    ada, ben, staff, classroom, tmp_path, as_user
):
    video = stored(ben, classroom, located_mp4(tmp_path), "phone.mp4")
    attach_video(video=video, audience="classroom", now=timezone.now())
    url = f"/core/videos/{video.pk}/stream/"
    assert video.reveals_metadata
    assert [play(as_user(who), url).status_code for who in (ben, ada, staff)] == [200, 409, 409]
    run_tasks()
    seen = play(as_user(ada), url).content
    assert (b"+48.8577" in VideoStorageService().backend.open(video.storage_path).read(), b"+48.8577" in seen) == (
        True,
        False,
    )


def test_a_page_says_how_far_it_is_and_offers_a_retry_to_those_who_may(ada, ben, dee, classroom, webm, as_user):
    video = stored(ada, classroom, webm)
    attach_video(video=video, audience="classroom", now=timezone.now())
    url = f"/core/videos/{video.pk}/processing/"
    assert b"Waiting to be prepared" in as_user(ben).get(url).content
    job = take_job(job_id=jobs_of(video)["web"].pk)
    ProcessingJob.objects.filter(pk=job.pk).update(started_at=timezone.now() - timedelta(seconds=60))
    note_progress(job=job, percent=40)
    running = as_user(ben).get(url).content.decode()
    assert "40 %" in running
    assert "about 2 minutes left" in running
    cancel_job(job=job)
    assert b"An administrator stopped it." in as_user(ben).get(url).content
    assert [b"Try again" in as_user(who).get(url).content for who in (ada, ben, dee)] == [True, False, False]
    assert as_user(ben).post(f"{url}retry/").status_code == 403
    assert as_user(ada).post(f"{url}retry/", {"next": "/exercises/"}).url == "/exercises/"
    assert as_user(ada).post(f"{url}retry/", {"next": "https://evil.example/"}).url == "/"
    run_tasks()
    assert b"A version for every device is ready" in as_user(ben).get(url).content


def test_a_task_delivered_twice_is_done_once(ben, classroom, clip):
    video = stored(ben, classroom, clip)
    job = jobs_of(video)["thumbnails"]
    run_job(job_id=job.pk)
    sprite = video.renditions.get(kind="sprite").pk
    run_job(job_id=job.pk)
    assert video.renditions.get(kind="sprite").pk == sprite


def test_jobs_are_queued_with_the_video_or_not_at_all(ben, classroom, clip, monkeypatch):
    monkeypatch.setattr("core.services.videos.record_event", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stored(ben, classroom, clip)
    assert (VideoAsset.objects.count(), ProcessingJob.objects.count(), DBTaskResult.objects.count()) == (0, 0, 0)


def test_a_watchable_version_comes_before_thumbnails(ben, classroom, clip, webm):
    stored(ben, classroom, clip)
    stored(ben, classroom, webm)
    first = DBTaskResult.objects.ready().first()
    assert ProcessingJob.objects.get(task_id=first.pk).kind == "web"


def test_queueing_twice_is_refused_by_the_database(ben, classroom, clip):
    from django.db import IntegrityError, transaction

    video = stored(ben, classroom, clip)
    with pytest.raises(IntegrityError), transaction.atomic():
        queue_processing(video=video, now=timezone.now())
