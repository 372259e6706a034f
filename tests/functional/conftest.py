"""A video that needs preparation, and both storages of uploads, with a real S3 server over HTTP behind the second."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.storage.options import S3_STORAGE
from tests import stack, videos
from tests.functional.backup_site import BackupSite
from tests.functional.uploading import Store
from tests.once import made_once
from tests.storage.conftest import s3_address, s3_storage, s3_values  # noqa: F401


@pytest.fixture
def local_store(settings) -> Store:
    root = Path(settings.MEDIA_ROOT)

    def files(folder: str) -> list[str]:
        return sorted(str(path.relative_to(root)) for path in (root / folder).rglob("*") if path.is_file())

    return Store("local", lambda key: (root / key).read_bytes(), lambda: files("uploads"), lambda: files("videos"))


@pytest.fixture
def s3_store(request, settings) -> Store:
    if stack.IS_PRODUCTION:
        return _store_of(request.getfixturevalue("production_bucket"))
    bucket = request.getfixturevalue("s3_storage").bucket
    settings.USE_S3 = True
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": S3_STORAGE, "OPTIONS": s3_values(request.getfixturevalue("s3_address"))},
    }
    return _store_of(bucket)


@pytest.fixture
def objects(request) -> Callable[[], list[str]]:
    """Return a function that lists the keys of what the chosen stack holds."""
    return request.getfixturevalue("s3_store" if stack.IS_PRODUCTION else "local_store").objects


def _store_of(bucket: Any) -> Store:
    return Store(
        "s3",
        lambda key: bucket.Object(key).get()["Body"].read(),
        lambda: [upload.object_key for upload in bucket.multipart_uploads.all()],
        lambda: [stored.key for stored in bucket.objects.all()],
    )


@pytest.fixture(params=["s3"] if stack.IS_PRODUCTION else ["local", "s3"])
def store(request) -> Store:
    """Each test that takes this runs on both storages, or on the production stack's."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture(scope="session")
def stored_site(tmp_path_factory: pytest.TempPathFactory) -> BackupSite:
    """A site with people and videos, for copies of it."""
    return BackupSite(
        made_once(tmp_path_factory, "stored", lambda folder: BackupSite(folder / "site").store()) / "site"
    )


@pytest.fixture(scope="session")
def backed_up_site(stored_site: BackupSite, tmp_path_factory: pytest.TempPathFactory) -> BackupSite:
    """The same with one verified backup."""

    def back_up(folder: Path) -> None:
        stored_site.copied_to(folder / "site").backup("--verify")

    return BackupSite(made_once(tmp_path_factory, "backed-up", back_up) / "site")


@pytest.fixture
def webm(tmp_path: Path) -> Path:
    """A video that needs a version for every device."""
    return videos.vp9_webm(tmp_path)
