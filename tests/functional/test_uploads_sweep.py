"""The sweep of uploads: what was abandoned goes with its parts after a day, and a live one never does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import StorageDeletion, Upload, VideoAsset
from core.services.deletions import request_deletion
from core.services.part_storage import part_storage
from core.services.pruning import prune_uploads
from core.services.uploads import parted
from core.storage.keys import new_key
from core.storage.options import S3_STORAGE
from tests.functional.uploading import Store, Uploader
from tests.storage.conftest import s3_values

DAY_LATER = timedelta(hours=24, minutes=1)


@pytest.fixture
def sender(store, ben, classroom, clip, as_user) -> Uploader:
    """Ben, with every part of an upload sent."""
    made = Uploader(as_user(ben), classroom, clip.read_bytes())
    made.open()
    made.send_all()
    return made


def sweep_tomorrow():
    return prune_uploads(now=timezone.now() + DAY_LATER)


def test_an_abandoned_upload_goes_with_its_parts(store, sender):
    assert sweep_tomorrow().uploads == 1
    assert (Upload.objects.get().state, Upload.objects.get().reserved_bytes) == ("aborted", 0)
    assert (store.leftovers(), store.objects()) == ([], [])
    assert sender.sign(1).status_code == 410


def test_a_live_upload_stays(store, sender):
    assert prune_uploads(now=timezone.now() + timedelta(hours=23)).uploads == 0
    Upload.objects.update(created_at=timezone.now() - timedelta(days=9))
    assert prune_uploads(now=timezone.now()).uploads == 0
    assert sender.held() == [1]


def test_an_upload_that_a_server_a_day_slow_wrote_down_stays_for_its_bytes_came_today(store, sender):
    Upload.objects.update(last_activity_at=timezone.now() - DAY_LATER)
    assert prune_uploads(now=timezone.now()).uploads == 0
    assert (Upload.objects.get().state, sender.held()) == ("open", [1])


def test_an_upload_that_woke_up_during_the_sweep_stays(store, sender, monkeypatch):
    """Its row is found idle, and a part is signed before its turn comes."""
    Upload.objects.update(last_activity_at=timezone.now() - DAY_LATER)
    from core.services import pruning

    give_up = pruning._give_up
    monkeypatch.setattr(pruning, "_give_up", lambda upload, now: sender.sign(1) and give_up(upload, now))
    assert prune_uploads(now=timezone.now()).uploads == 0
    assert sender.complete().status_code == 201


def test_what_was_being_completed_is_settled_and_not_lost(store, sender):
    upload = Upload.objects.get()
    Upload.objects.update(state="completing", declared_size_bytes=len(sender.content))
    sweep_tomorrow()
    assert Upload.objects.get().state == "complete"
    assert store.read(VideoAsset.objects.get().storage_path) == sender.content
    assert upload.storage_path == VideoAsset.objects.get().storage_path


def test_an_object_that_was_finished_before_its_row_is_settled(store, sender):
    upload = Upload.objects.get()
    part_storage().finish(parted(upload), len(sender.content))
    Upload.objects.update(state="completing")
    assert sender.complete().status_code == 201
    assert store.read(VideoAsset.objects.get().storage_path) == sender.content


def test_an_abort_that_stopped_halfway_is_finished(store, sender):
    Upload.objects.update(state="aborting")
    sweep_tomorrow()
    assert (Upload.objects.get().state, store.leftovers()) == ("aborted", [])


def test_parts_that_no_row_names_go(store: Store, db):
    part_storage().begin(new_key(timezone.now()))
    assert store.leftovers()
    if store.name == "local":  # moto says of every upload that it began in 2010
        prune_uploads(now=timezone.now())
        assert store.leftovers()
    sweep_tomorrow()
    assert store.leftovers() == []


def test_parts_of_an_old_upload_that_lives_stay(store, sender):
    Upload.objects.update(last_activity_at=timezone.now() + DAY_LATER)
    sweep_tomorrow()
    assert sender.held() == [1]


def test_a_storage_that_does_not_answer_stops_no_sweep(s3_store, ben, classroom, clip, as_user, settings):
    made = Uploader(as_user(ben), classroom, clip.read_bytes())
    made.open()
    options = settings.STORAGES["default"]["OPTIONS"] | {"endpoint_url": "http://127.0.0.1:9"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    assert sweep_tomorrow().uploads == 0
    assert Upload.objects.get().state == "open"


def test_a_bucket_that_is_away_is_asked_once_while_somebody_waits_and_the_sweep_does_the_rest(
    db, settings, caplog, django_capture_on_commit_callbacks
):
    settings.USE_S3 = True
    nobody = {"BACKEND": S3_STORAGE, "OPTIONS": s3_values("http://127.0.0.1:9")}
    settings.STORAGES = {**settings.STORAGES, "default": nobody}
    now = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        request_deletion(storage_paths=[new_key(now) for _ in range(5)], now=now)
    assert [record.message for record in caplog.records].count("Object not removed, the sweep will try again") == 1
    assert StorageDeletion.objects.count() == 5
