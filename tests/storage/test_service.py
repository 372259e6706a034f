"""VideoStorageService: the backend that USE_S3 chooses, and the runbook's three calls on it."""

import subprocess
import sys
from io import BytesIO
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from core.services.storage import VideoStorageService, playback_seconds, read_signed_media
from core.storage.base import ObjectNotFound
from core.storage.options import S3_STORAGE
from tests.storage.conftest import s3_values


@pytest.fixture(params=["local", "s3"])
def service(request, settings, tmp_path):
    settings.USE_S3 = request.param == "s3"
    settings.MEDIA_ROOT = tmp_path
    if settings.USE_S3:
        request.getfixturevalue("s3_storage")
        options = s3_values(request.getfixturevalue("s3_address"))
        settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": S3_STORAGE, "OPTIONS": options}}
    service = VideoStorageService()
    assert service.backend.name == request.param
    return service


def asset(storage_path, duration_ms=1000):
    return SimpleNamespace(storage_path=storage_path, mime_type="video/mp4", duration_ms=duration_ms)


def test_a_video_is_uploaded_played_and_deleted(service):
    key = service.upload_video(BytesIO(b"moving pictures"), "dance.mp4")
    assert service.get_video_url(asset(key))
    service.delete_video(key)
    with pytest.raises(ObjectNotFound):
        service.backend.open(key)


def test_a_local_link_leads_to_the_stored_object(settings, tmp_path):
    settings.USE_S3, settings.MEDIA_ROOT = False, tmp_path
    service = VideoStorageService()
    key = service.upload_video(BytesIO(b"x"), "x.mp4")
    start, token, end = service.get_video_url(asset(key)).rpartition("/core/media/")[2].partition("/")
    assert reverse("core:signed_media", args=[start]).endswith(f"/{start}{token}{end}")
    assert read_signed_media(start) == key


@pytest.mark.parametrize(
    ("duration_ms", "seconds"),
    [(None, 3600), (0, 3600), (900_000, 3600), (1_800_000, 7200), (4 * 3_600_000, 43_200)],
)
def test_a_link_lives_four_times_the_video_between_one_hour_and_twelve(duration_ms, seconds):
    assert playback_seconds(duration_ms) == seconds


def test_s3_mode_refuses_a_storage_that_is_not_private(settings):
    settings.USE_S3 = True
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": "b"}},
    }
    with pytest.raises(ImproperlyConfigured, match="STORAGES"):
        VideoStorageService()


def test_local_mode_never_imports_the_vendors_library(settings):
    program = (
        "import sys, django; from django.conf import settings;"
        "settings.configure(USE_S3=False, MEDIA_ROOT='.', SECRET_KEY='x');"
        "from core.services.storage import VideoStorageService; import core.multipart, core.ranges;"
        "VideoStorageService(); print('boto3' in sys.modules or 'botocore' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
