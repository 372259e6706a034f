"""Both backends, built from values: a folder, and a bucket of a real S3 server over HTTP."""

from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from core.services.storage import read_signed_media, signed_media_token
from core.storage.base import VideoBackend
from core.storage.local import LocalStorageBackend
from core.storage.options import s3_options

BUCKET = "practika-test"


@dataclass
class Place:
    """A backend and the two things its tests cannot do through it."""

    backend: VideoBackend
    fetch: object  # url -> (status, bytes), as a player with nothing but the URL
    keys: object  # () -> list of everything stored


@pytest.fixture(scope="session")
def s3_address():
    """The address of an S3 server that runs as long as the tests."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_storage(s3_address):
    """Our S3 storage on a bucket of its own, emptied before each test."""
    from core.storage.s3_client import PrivateS3Storage

    storage = PrivateS3Storage(**s3_values(s3_address))
    storage.client.create_bucket(Bucket=BUCKET)
    storage.bucket.objects.all().delete()
    for upload in storage.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        storage.client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    return storage


def s3_values(address, **changed):
    return (
        s3_options(
            bucket_name=BUCKET,
            access_key="key",
            secret_key="secret",
            endpoint_url=address,
            addressing_style="path",
        )
        | changed
    )


@pytest.fixture
def local_place(tmp_path):
    root = tmp_path / "media"
    root.mkdir()
    backend = LocalStorageBackend(root, sign_url=lambda key, seconds: signed_media_token(key, seconds))

    def fetch(token):
        key = read_signed_media(token)
        return (200, backend.path(key).read_bytes()) if key else (403, b"")

    return Place(backend, fetch, lambda: [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()])


@pytest.fixture
def s3_place(s3_storage):
    from core.storage.s3 import S3StorageBackend

    return Place(
        S3StorageBackend(s3_storage),
        _fetch_over_http,
        lambda: [o.key for o in s3_storage.bucket.objects.all()],
    )


def _fetch_over_http(url):
    try:
        with urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, b""


@pytest.fixture(params=["local", "s3"])
def place(request):
    """Each test that takes this runs on both backends."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def backend(place):
    return place.backend


@pytest.fixture
def finished_file(tmp_path):
    """Makes a finished local file, as an upload leaves it."""

    def make(content: bytes = b"a finished video", name: str = "finished") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make
