"""A video that came in parts: checked first, by a worker, and taken by every form meanwhile."""

import hashlib
import uuid

import pytest
from django.utils import timezone

from accounts.models import Classroom
from core.models import StorageDeletion
from core.services.backup_fsck import check_media
from core.services.media_sides import named_objects
from core.services.processing import retry_job
from core.services.storage import VideoStorageService
from core.services.videos import delete_video_asset
from core.storage.base import ObjectNotFound
from tests import factories, videos
from tests.functional.playing import play
from tests.functional.preparing import jobs_of, run_tasks


def test_a_video_that_came_in_parts_is_checked_and_then_plays(ben, classroom, clip, as_user):
    video = factories.uploaded(ben, classroom, clip, expected_sha256=hashlib.sha256(clip.read_bytes()).hexdigest())
    url = f"/core/videos/{video.pk}/"
    assert as_user(ben).get(f"{url}stream/").status_code == 409
    assert b"Checking the video" in as_user(ben).get(f"{url}processing/").content
    run_tasks()
    video.refresh_from_db()
    assert (video.state, video.duration_ms, video.video_codec) == ("ready", 1000, "h264")
    assert video.checksum_sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert [play(as_user(ben), f"{url}{of}/").status_code for of in ("stream", "poster")] == [200, 200]
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
    video = factories.uploaded(ben, exercise.classroom, build(tmp_path), expected_sha256=sent)
    run_tasks()
    video.refresh_from_db()
    assert (video.state, video.failure_code) == ("failed", code)
    page = as_user(ben).get(f"/core/videos/{video.pk}/processing/").content.decode()
    assert "cannot be shown" in page
    assert "Try again" not in page
    answer = as_user(ben).post(f"/exercises/{exercise.pk}/attempts/", {"uploaded": str(video.pk)})
    assert answer.status_code == 422


def test_what_is_no_video_loses_its_bytes_at_once_and_counts_for_nothing(
    ben, classroom, tmp_path, django_capture_on_commit_callbacks
):
    video = factories.uploaded(ben, classroom, videos.noise(tmp_path))
    path = video.storage_path
    with django_capture_on_commit_callbacks(execute=True):
        run_tasks()
    video.refresh_from_db()
    assert (video.state, video.storage_path, video.size_bytes) == ("failed", "", 0)
    with pytest.raises(ObjectNotFound):
        VideoStorageService().backend.stat(path)
    assert check_media().findings == []
    assert named_objects() == {}
    assert retry_job(job=jobs_of(video)["verify"]) is False
    delete_video_asset(video=video, now=timezone.now())
    assert not StorageDeletion.objects.exists()


def test_every_form_takes_a_video_that_was_uploaded_before(ada, ben, exercise, clip, as_user):
    room = exercise.classroom
    of_ben = factories.uploaded(ben, room, clip)
    assert as_user(ben).post(f"/exercises/{exercise.pk}/attempts/", {"uploaded": str(of_ben.pk)}).status_code == 302
    of_ben.refresh_from_db()
    assert (of_ben.attempt.exercise, of_ben.audience, of_ben.attached_at is not None) == (exercise, "owner", True)
    assert as_user(ben).get(f"/attempts/{of_ben.attempt.pk}/").status_code == 200
    new = {"name": "New", "review_mode": "private", "classroom": str(room.pk)}
    reference, other, answer = (factories.uploaded(ada, room, clip) for _ in range(3))
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
        factories.uploaded(dee, exercise.classroom, clip).pk,
        factories.uploaded(ben, elsewhere, clip).pk,
        exercise.reference.pk,
        uuid.uuid4(),
        "no key",
        "",
    ]
    assert [as_user(ben).post(path, {"uploaded": str(key)}).status_code for key in refused] == [422] * 6
    mine = factories.uploaded(ben, exercise.classroom, clip)
    assert as_user(ben).post(path, {"uploaded": str(mine.pk)}).status_code == 302
    assert as_user(ben).post(path, {"uploaded": str(mine.pk)}).status_code == 422


def test_a_video_in_s3_is_checked_and_prepared_there_and_no_copy_stays_here(s3_store, ben, classroom, webm, settings):
    video = factories.uploaded(ben, classroom, webm)
    run_tasks()
    assert {kind: job.state for kind, job in jobs_of(video).items()} == dict.fromkeys(
        ("verify", "web", "thumbnails"), "done"
    )
    made = dict(video.renditions.values_list("kind", "storage_path"))
    assert set(made) == {"poster", "web", "sprite", "vtt"}
    assert set(s3_store.objects()) == {video.storage_path, *made.values()}
    assert s3_store.read(made["web"])[4:8] == b"ftyp"
    assert list(settings.INCOMING_ROOT.iterdir()) == []
