"""fsck_media tells rows without objects, objects without rows, wrong sizes and checksums, and nothing else."""

import json
import uuid
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from core.models import Rendition, StorageDeletion, Upload, VideoAsset
from core.services.backup_fsck import NO_OBJECT, NO_ROW, WRONG_CHECKSUM, WRONG_SIZE, check_media
from core.services.storage import VideoStorageService
from tests import stack
from tests.factories import store_instead
from tests.storage.conftest import BUCKET, s3_address, s3_storage, s3_values  # noqa: F401 (fixtures)


@pytest.fixture(params=["s3"] if stack.IS_PRODUCTION else ["local", "s3"])
def video(request, settings):
    """The video of an exercise, stored locally or in a bucket."""
    if request.param == "s3" and not stack.IS_PRODUCTION:
        storage = request.getfixturevalue("s3_storage")
        address = request.getfixturevalue("s3_address")
        settings.USE_S3 = True
        settings.AWS_STORAGE_BUCKET_NAME = BUCKET
        settings.AWS_S3_ENDPOINT_URL, settings.AWS_S3_ADDRESSING_STYLE = address, "path"
        settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "key", "secret"
        options = s3_values(address)
        settings.STORAGES = settings.STORAGES | {
            "default": {"BACKEND": "core.storage.s3_client.PrivateS3Storage", "OPTIONS": options}
        }
        assert storage.bucket_name == BUCKET
    return request.getfixturevalue("exercise").reference


def found(**options) -> list[tuple[str, str]]:
    return [(finding.kind, finding.storage_path) for finding in check_media(**options).findings]


def test_a_site_as_it_should_be(video):
    checked = check_media(checksums=True)
    assert checked.findings == []
    assert checked.rows == checked.objects == 2  # the video and its poster


def test_a_row_without_its_object(video):
    VideoStorageService().delete_video(video.storage_path)
    assert found() == [(NO_OBJECT, video.storage_path)]


def test_an_object_of_another_size(video):
    store_instead(video.storage_path, b"short")
    assert found() == [(WRONG_SIZE, video.storage_path)]


def test_other_bytes_of_the_same_size_only_with_checksums(video):
    poster = Rendition.objects.get()
    store_instead(poster.storage_path, b"x" * poster.size_bytes)
    assert found() == []
    assert found(checksums=True) == [(WRONG_CHECKSUM, poster.storage_path)]


def test_an_object_without_a_row(video):
    path = f"videos/2025/03/{uuid.uuid4()}"
    store_instead(path, b"nobody's")
    assert found() == [(NO_ROW, path)]
    StorageDeletion.objects.create(storage_path=path, requested_at=timezone.now())
    assert found() == []


def test_an_object_of_an_upload_on_its_way_in(video):
    path, now = f"videos/2025/03/{uuid.uuid4()}", timezone.now()
    store_instead(path, b"arriving")
    upload = Upload.objects.create(
        owner=video.owner, classroom=video.classroom, client_token="t", storage_path=path, backend="local",
        created_at=now, last_activity_at=now,
    )  # fmt: skip
    assert found() == []
    Upload.objects.filter(pk=upload.pk).update(state=Upload.State.ABORTED)
    assert found() == [(NO_ROW, path)]


def test_a_video_that_is_still_being_checked_has_no_checksum_yet(video):
    VideoAsset.objects.filter(pk=video.pk).update(state=VideoAsset.State.CHECKING, checksum_sha256=None)
    assert found(checksums=True) == []


@pytest.mark.one_stack("development", why="puts a file into the local folder")
def test_a_file_that_is_no_key_of_ours(exercise):
    stray = settings.MEDIA_ROOT / "videos" / "notes.txt"
    stray.write_text("left by somebody")
    assert found() == [(NO_ROW, "videos/notes.txt")]


def test_the_command_prints_a_table_or_json_and_ends_with_1(exercise):
    VideoStorageService().delete_video(exercise.reference.storage_path)
    for arguments in ([], ["--json"]):
        out = StringIO()
        with pytest.raises(SystemExit, match="1"):
            call_command("fsck_media", *arguments, stdout=out)
    said = json.loads(out.getvalue())
    assert (said["rows"], said["objects"]) == (2, 1)
    assert [finding["kind"] for finding in said["findings"]] == ["no object"]


def test_the_command_ends_with_0_when_all_is_well(exercise):
    out = StringIO()
    with pytest.raises(SystemExit, match="0"):
        call_command("fsck_media", "--checksums", stdout=out)
    assert out.getvalue() == "2 rows, 2 objects, 0 findings.\n"
