"""Processing: what a video needs is queued with it, done once, seen by people, and never stuck."""

import hashlib
import uuid
from datetime import timedelta
from pathlib import Path

import av
import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import Classroom
from core.models import ProcessingJob, Rendition, StorageDeletion, Upload, VideoAsset, Worker
from core.services.deletions import sweep_deletions
from core.services.jobs import JobLost, finish_job, note_progress, take_job
from core.services.processing import cancel_job, queue_processing, queue_verification, reap_jobs, retry_job
from core.services.rendering import STOPPING, run_job
from core.services.storage import VideoStorageService
from core.services.videos import attach_video, delete_video_asset, store_video
from core.worker import PractikaWorker
from tests import factories, videos


@pytest.fixture
def webm(tmp_path):
    return videos.vp9_webm(tmp_path)


def stored(owner, classroom, path, name="film.webm") -> VideoAsset:
    return store_video(received=factories.received(path, name), owner=owner, classroom=classroom, now=timezone.now())


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


def jobs_of(video) -> dict[str, ProcessingJob]:
    return {job.kind: job for job in ProcessingJob.objects.filter(video=video)}


def run_tasks() -> None:
    """Do what waits as a worker does, within the test's transaction (a worker would close its connection)."""
    worker = PractikaWorker(batch=True)
    while task := DBTaskResult.objects.ready().first():
        task.claim(worker.worker_id)
        worker.run_task(task)


def test_what_plays_everywhere_is_ready_at_once_and_only_gets_thumbnails(ben, classroom, clip):
    video = stored(ben, classroom, clip, "clip.mp4")
    assert (video.state, video.need, set(jobs_of(video))) == ("ready", "nothing", {"thumbnails"})


def test_another_format_is_prepared_and_then_plays_as_mp4(ben, classroom, webm, as_user):
    video = stored(ben, classroom, webm)
    url = f"/core/videos/{video.pk}/stream/"
    before = as_user(ben).get(url)
    assert before["Content-Type"] == "video/webm"
    run_tasks()
    assert {kind: job.state for kind, job in jobs_of(video).items()} == {"web": "done", "thumbnails": "done"}
    after = as_user(ben).get(url)
    body = b"".join(after.streaming_content)
    assert after["Content-Type"] == "video/mp4"
    assert (body[4:8], after["ETag"] != before["ETag"]) == (b"ftyp", True)
    assert set(video.renditions.values_list("kind", flat=True)) == {"poster", "web", "sprite", "vtt"}
    assert not StorageDeletion.objects.exists()


def test_thumbnails_are_a_picture_and_a_map_that_names_it(ben, cyd, classroom, clip, as_user):
    video = stored(ben, classroom, clip)
    path = f"/core/videos/{video.pk}/thumbnails"
    assert as_user(ben).get(f"{path}.vtt").status_code == 404
    run_tasks()
    vtt = as_user(ben).get(f"{path}.vtt")
    assert (vtt["Content-Type"], vtt.content[:6]) == ("text/vtt", b"WEBVTT")
    assert b"thumbnails.jpg#xywh=0,0," in vtt.content
    assert as_user(ben).get(f"{path}.jpg")["Content-Type"] == "image/jpeg"
    assert [as_user(cyd).get(f"{path}.{kind}").status_code for kind in ("vtt", "jpg")] == [404, 404]


def test_an_original_that_tells_where_it_was_filmed_goes_to_its_owner_only(
    ada, ben, staff, classroom, tmp_path, as_user
):
    video = stored(ben, classroom, located_mp4(tmp_path), "phone.mp4")
    attach_video(video=video, audience="classroom", now=timezone.now())
    url = f"/core/videos/{video.pk}/stream/"
    assert video.reveals_metadata
    assert [as_user(who).get(url).status_code for who in (ben, ada, staff)] == [200, 409, 409]
    run_tasks()
    seen = b"".join(as_user(ada).get(url).streaming_content)
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


def test_a_file_that_turns_out_damaged_fails_at_once_with_its_reason(ben, classroom, webm, as_user):
    video = stored(ben, classroom, webm)
    path = VideoStorageService().backend.path(video.storage_path)
    path.write_bytes(path.read_bytes()[:200])
    run_tasks()
    job = jobs_of(video)["web"]
    assert (job.state, job.tries) == ("failed", 1)
    page = as_user(ben).get(f"/core/videos/{video.pk}/processing/").content.decode()
    assert "could not be prepared" in page
    assert "The original was kept" in page


def test_an_original_that_is_gone_fails_with_a_sentence(ben, classroom, webm):
    video = stored(ben, classroom, webm)
    VideoStorageService().delete_video(video.storage_path)
    run_tasks()
    assert {job.error_code for job in jobs_of(video).values()} == {"object_missing"}


def expire(job) -> None:
    ProcessingJob.objects.filter(pk=job.pk).update(lease_ends_at=Now() - timedelta(seconds=1))


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
    assert not VideoStorageService().backend.path(left).exists()


def lose() -> None:
    raise JobLost


def test_storage_that_is_away_gives_the_job_back_and_three_times_ends_it(ben, classroom, webm, monkeypatch):
    from core.storage.base import StorageUnavailable

    video = stored(ben, classroom, webm)
    job = jobs_of(video)["web"]

    def away(*args, **kwargs):
        raise StorageUnavailable("The disk is away.")

    monkeypatch.setattr("core.services.rendering.store_file", away)
    states = []
    for _ in range(3):
        run_job(job_id=job.pk)
        job.refresh_from_db()
        states.append((job.state, job.error_code))
    assert states == [("queued", "unavailable"), ("queued", "unavailable"), ("failed", "unavailable")]
    assert list(VideoAsset.objects.get().renditions.values_list("kind", flat=True)) == ["poster"]


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

    from core.services import rendering

    real = rendering.store_file
    monkeypatch.setattr(rendering, "store_file", delete_first)
    run_job(job_id=job.pk)
    assert not Rendition.objects.exists()
    assert [path.name for path in settings.INCOMING_ROOT.iterdir()] == []


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


def task_stats(capsys, *arguments) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        call_command("task_stats", *arguments)
    return end.value.code, capsys.readouterr().out


def test_task_stats_says_what_waits_and_who_works(ben, classroom, webm, capsys):
    assert task_stats(capsys)[0] == 0
    video = stored(ben, classroom, webm)
    code, out = task_stats(capsys, "--json")
    assert code == 1
    assert '"queued": 2' in out
    assert '"stuck": true' in out
    Worker.objects.create(name="one", started_at=timezone.now(), seen_at=timezone.now())
    assert task_stats(capsys)[0] == 0
    cancel_job(job=jobs_of(video)["web"])
    code, out = task_stats(capsys, "--failed")
    assert code == 1
    assert str(jobs_of(video)["web"].pk) in out
    assert task_stats(capsys, "--retry-failed")[0] == 0
    assert jobs_of(video)["web"].state == "queued"


def test_queueing_twice_is_refused_by_the_database(ben, classroom, clip):
    from django.db import IntegrityError, transaction

    video = stored(ben, classroom, clip)
    with pytest.raises(IntegrityError), transaction.atomic():
        queue_processing(video=video, now=timezone.now())


def uploaded(owner, classroom, path, **fields) -> VideoAsset:
    """Return a video as it is when the last of its parts has come: stored, not looked into."""
    now = timezone.now()
    with path.open("rb") as file:
        key = VideoStorageService().upload_video(file, path.name)
    video = VideoAsset.objects.create(
        owner=owner, classroom=classroom, storage_path=key, size_bytes=path.stat().st_size, mime_type="video/mp4",
        original_name=path.name, created_at=now,
    )  # fmt: skip
    Upload.objects.create(
        owner=owner, classroom=classroom, client_token=key, storage_path=key, backend="local", state="complete",
        video=video, created_at=now, last_activity_at=now, **fields,
    )  # fmt: skip
    queue_verification(video=video, now=now)
    return video


def test_a_video_that_came_in_parts_is_checked_and_then_plays(ben, classroom, clip, as_user):
    video = uploaded(ben, classroom, clip, expected_sha256=hashlib.sha256(clip.read_bytes()).hexdigest())
    url = f"/core/videos/{video.pk}/"
    assert as_user(ben).get(f"{url}stream/").status_code == 409
    assert b"Checking the video" in as_user(ben).get(f"{url}processing/").content
    run_tasks()
    video.refresh_from_db()
    assert (video.state, video.duration_ms, video.video_codec) == ("ready", 1000, "h264")
    assert video.checksum_sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert [as_user(ben).get(f"{url}{of}/").status_code for of in ("stream", "poster")] == [200, 200]
    assert b"is checked" in as_user(ben).get(f"{url}processing/").content
    assert jobs_of(video)["thumbnails"].state == "done"


@pytest.mark.parametrize(
    ("build", "sent", "code"),
    [(videos.noise, "", "not_a_video"), (videos.phone_mp4, "0" * 64, "checksum_differs")],
    ids=["noise", "other bytes"],
)
def test_what_came_in_parts_and_is_no_video_says_why_and_is_not_offered(
    build, sent, code, ben, exercise, tmp_path, as_user
):
    video = uploaded(ben, exercise.classroom, build(tmp_path), expected_sha256=sent)
    run_tasks()
    video.refresh_from_db()
    assert (video.state, video.failure_code) == ("failed", code)
    page = as_user(ben).get(f"/core/videos/{video.pk}/processing/").content.decode()
    assert "cannot be shown" in page
    assert "Try again" not in page
    answer = as_user(ben).post(f"/exercises/{exercise.pk}/attempts/", {"uploaded": str(video.pk)})
    assert answer.status_code == 422


def test_every_form_takes_a_video_that_was_uploaded_before(ada, ben, exercise, clip, as_user):
    room = exercise.classroom
    of_ben = uploaded(ben, room, clip)
    assert as_user(ben).post(f"/exercises/{exercise.pk}/attempts/", {"uploaded": str(of_ben.pk)}).status_code == 302
    of_ben.refresh_from_db()
    assert (of_ben.attempt.exercise, of_ben.audience, of_ben.attached_at is not None) == (exercise, "owner", True)
    assert as_user(ben).get(f"/attempts/{of_ben.attempt.pk}/").status_code == 200
    new = {"name": "New", "review_mode": "private", "classroom": str(room.pk)}
    reference, other, answer = (uploaded(ada, room, clip) for _ in range(3))
    made = as_user(ada).post("/exercises/create/", {**new, "uploaded": str(reference.pk)})
    assert as_user(ada).get(made.url).status_code == 200
    replaced = as_user(ada).post(f"{made.url}video/", {"uploaded": str(other.pk)})
    assert (replaced.status_code, as_user(ada).get("/exercises/").status_code) == (302, 200)
    comment = {"text": "So", "uploaded": str(answer.pk), "next": f"/exercises/{exercise.pk}/"}
    assert as_user(ada).post(f"/videos/{exercise.reference.pk}/comments/", comment).status_code == 302
    assert b"Checking the video" in as_user(ada).get(f"/exercises/{exercise.pk}/").content
    run_tasks()
    assert b"Checking the video" not in as_user(ada).get(f"/exercises/{exercise.pk}/").content


def test_only_ones_own_unused_upload_of_that_class_is_taken(ada, ben, dee, exercise, clip, as_user):
    path = f"/exercises/{exercise.pk}/attempts/"
    elsewhere = Classroom.objects.create(name="Elsewhere")
    refused = [
        uploaded(dee, exercise.classroom, clip).pk,
        uploaded(ben, elsewhere, clip).pk,
        exercise.reference.pk,
        uuid.uuid4(),
        "no key",
        "",
    ]
    assert [as_user(ben).post(path, {"uploaded": str(key)}).status_code for key in refused] == [422] * 6
    mine = uploaded(ben, exercise.classroom, clip)
    assert as_user(ben).post(path, {"uploaded": str(mine.pk)}).status_code == 302
    assert as_user(ben).post(path, {"uploaded": str(mine.pk)}).status_code == 422
