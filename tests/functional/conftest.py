"""A video that needs preparation, and both storages of uploads, with a real S3 server over HTTP behind the second."""

from pathlib import Path

import pytest

from core.storage.options import S3_STORAGE
from tests import videos
from tests.functional.uploading import Store
from tests.storage.conftest import BUCKET, s3_address, s3_storage, s3_values  # noqa: F401


@pytest.fixture
def local_store(settings) -> Store:
    root = Path(settings.MEDIA_ROOT)

    def files(folder: str) -> list[str]:
        return sorted(str(path.relative_to(root)) for path in (root / folder).rglob("*") if path.is_file())

    return Store("local", lambda key: (root / key).read_bytes(), lambda: files("uploads"), lambda: files("videos"))


@pytest.fixture
def s3_store(settings, s3_address, s3_storage) -> Store:  # noqa: F811
    settings.USE_S3 = True
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": S3_STORAGE, "OPTIONS": s3_values(s3_address)},
    }
    client = s3_storage.client
    return Store(
        "s3",
        lambda key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read(),
        lambda: [upload["Key"] for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])],
        lambda: [stored.key for stored in s3_storage.bucket.objects.all()],
    )


@pytest.fixture(params=["local", "s3"])
def store(request) -> Store:
    """Each test that takes this runs on both storages."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def webm(tmp_path: Path) -> Path:
    """A video that needs a version for every device."""
    return videos.vp9_webm(tmp_path)
