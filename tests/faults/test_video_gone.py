"""A video is deleted while it plays, or a transaction fails after its bytes were stored: no half, nothing forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import StorageDeletion, VideoAsset
from core.services.deletions import sweep_deletions
from core.services.videos import delete_video_asset, store_video
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_video_deleted_while_it_plays_plays_on_and_is_404_afterwards(ben, exercise, clip, as_user, settings):
    video = factories.attempt(exercise, ben, clip).video
    learner, path = as_user(ben), f"/core/videos/{video.pk}/stream/"
    playing = learner.get(path)
    video.attempt.delete()
    delete_video_asset(video=video, now=timezone.now())
    sweep_deletions(before=timezone.now() + timedelta(seconds=1))
    assert not (settings.MEDIA_ROOT / video.storage_path).exists()
    assert b"".join(playing.streaming_content) == clip.read_bytes()
    assert learner.get(path).status_code == 404


def test_bytes_stored_before_a_transaction_that_failed_are_gone_after_the_sweep(
    ben, classroom, clip, settings, monkeypatch
):
    def fail(**_: object) -> None:
        assert [path for path in (settings.MEDIA_ROOT / "videos").rglob("*") if path.is_file()]
        raise RuntimeError("after the bytes")

    monkeypatch.setattr("core.services.videos.record_event", fail)
    with pytest.raises(RuntimeError, match="after the bytes"):
        store_video(received=factories.received(clip), owner=ben, classroom=classroom, now=timezone.now())
    assert not VideoAsset.objects.exists()
    sweep_deletions(before=timezone.now() + timedelta(seconds=1))
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []
    assert not StorageDeletion.objects.exists()
