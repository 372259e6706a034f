"""Uploads in parts: what both storages promise (core.storage.parts.PartStorage), and what S3's signatures cover."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from core.storage.base import InvalidKey, ObjectNotFound, StorageUnavailable
from core.storage.keys import new_key
from core.storage.local import LocalStorageBackend
from core.storage.local_parts import LocalPartStorage
from core.storage.parts import (
    MAX_PARTS,
    MEBIBYTE,
    PartDamaged,
    PartedUpload,
    PartRequest,
    PartsBeyondEnd,
    PartsMissing,
    SignedPart,
    UploadNotHeld,
    check_parts,
    part_size,
    part_size_for,
)
from tests.functional.uploading import put_over_http
from tests.storage.conftest import BUCKET, s3_values
from tests.storage.gate import gate_before

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)
PART = 5 * MEBIBYTE  # the least that S3 takes


class LocalPlace:
    """A folder, and the view that would write into it."""

    def __init__(self, root: Path):
        self.parts = LocalPartStorage(root, sign=lambda upload, request: SignedPart("", {}))
        self.objects = LocalStorageBackend(root, sign_url=lambda key, seconds: "")

    def send(self, upload: PartedUpload, number: int, content: bytes) -> None:
        self.parts.reserve(upload, (number - 1) * upload.part_size_bytes + len(content))
        self.parts.write(upload, PartRequest(number, len(content), "", LATER), source_of(content))


class S3Place:
    """A bucket behind a gate that checks signatures."""

    def __init__(self, storage):
        from core.storage.s3 import S3StorageBackend
        from core.storage.s3_parts import S3PartStorage

        self.parts, self.objects = S3PartStorage(storage), S3StorageBackend(storage)

    def send(self, upload: PartedUpload, number: int, content: bytes) -> None:
        signed = self.parts.sign(upload, PartRequest(number, len(content), "", LATER), now=NOW)
        assert put_over_http(signed.url, content, signed.headers).status_code == 200


def source_of(content: bytes):
    rest = memoryview(content)

    def source(view: memoryview) -> int:
        nonlocal rest
        size = min(len(view), len(rest))
        view[:size] = rest[:size]
        rest = rest[size:]
        return size

    return source


@pytest.fixture
def s3_parts_place(s3_address, s3_storage):
    from core.storage.s3_client import PrivateS3Storage

    with gate_before(s3_address) as gate:
        yield S3Place(PrivateS3Storage(**s3_values(gate.address)))


@pytest.fixture
def local_parts_place(tmp_path):
    return LocalPlace(tmp_path)


@pytest.fixture(params=["local", "s3"])
def place(request):
    return request.getfixturevalue(f"{request.param}_parts_place")


@pytest.fixture
def upload(place) -> PartedUpload:
    key = new_key(NOW)
    return PartedUpload(key, place.parts.begin(key), PART)


def test_parts_in_any_order_become_one_object(place, upload):
    first, second = b"1" * PART, b"the rest"
    place.send(upload, 2, second)
    place.send(upload, 1, first)
    assert place.parts.held(upload) == {1: PART, 2: 8}
    place.parts.finish(upload, PART + 8)
    with place.objects.open(upload.storage_path) as stored:
        assert stored.read() == first + second


def test_finishing_again_is_fine_and_nothing_is_held_afterwards(place, upload):
    place.send(upload, 1, b"all of it")
    place.parts.finish(upload, 9)
    place.parts.finish(upload, 9)
    with pytest.raises(UploadNotHeld):
        place.parts.held(upload)
    place.parts.discard(upload)
    assert place.objects.stat(upload.storage_path).size_bytes == 9


def test_what_is_missing_or_too_much_is_named_and_nothing_is_finished(place, upload):
    place.send(upload, 2, b"the rest")
    with pytest.raises(PartsMissing) as missing:
        place.parts.finish(upload, 2 * PART + 1)
    assert missing.value.numbers == [1, 2, 3]
    place.send(upload, 1, b"1" * PART)
    with pytest.raises(PartsBeyondEnd) as beyond:
        place.parts.finish(upload, PART)
    assert beyond.value.numbers == [2]
    with pytest.raises(ObjectNotFound):
        place.objects.stat(upload.storage_path)


def test_what_was_discarded_is_held_no_more_and_cannot_be_finished(place, upload):
    place.send(upload, 1, b"all of it")
    place.parts.discard(upload)
    place.parts.discard(upload)
    for call in (lambda: place.parts.held(upload), lambda: place.parts.finish(upload, 9)):
        with pytest.raises(UploadNotHeld):
            call()


def test_what_was_begun_is_found_by_its_age(place, upload):
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert [found.upload_id for found in place.parts.begun_before(soon)] == [upload.upload_id]
    long_ago = datetime(2010, 1, 1, tzinfo=UTC)  # moto says of every upload that it began in that November
    assert list(place.parts.begun_before(long_ago)) == []


def test_what_is_not_our_key_is_refused(place):
    with pytest.raises(InvalidKey):
        place.parts.begin("videos/../../etc/passwd")
    with pytest.raises(InvalidKey):
        place.parts.finish(PartedUpload("../x", "x", PART), 1)


def test_a_local_part_that_breaks_off_is_absent_even_if_it_was_held(local_parts_place):
    place, key = local_parts_place, new_key(NOW)
    upload = PartedUpload(key, place.parts.begin(key), PART)
    place.send(upload, 1, b"all of it")
    for broken in (PartRequest(1, 10, "", LATER), PartRequest(1, 9, "0" * 64, LATER)):
        with pytest.raises(PartDamaged):
            place.parts.write(upload, broken, source_of(b"all of it"))
        assert place.parts.held(upload) == {}

    def cut(view: memoryview) -> int:
        raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError):
        place.parts.write(upload, PartRequest(1, 9, "", LATER), cut)
    assert place.parts.held(upload) == {}


def test_local_room_that_is_not_there_is_given_back(local_parts_place, monkeypatch, tmp_path):
    place, key = local_parts_place, new_key(NOW)
    upload = PartedUpload(key, place.parts.begin(key), PART)
    place.send(upload, 1, b"all of it")
    with pytest.raises(StorageUnavailable):
        place.parts.reserve(upload, 2**62)
    file = next(tmp_path.glob("uploads/*/video"))
    assert (file.stat().st_size, place.parts.held(upload)) == (9, {1: 9})


@pytest.fixture
def s3_upload(s3_parts_place) -> PartedUpload:
    key = new_key(NOW)
    return PartedUpload(key, s3_parts_place.parts.begin(key), PART)


def test_an_s3_link_covers_length_part_upload_key_method_and_time(s3_parts_place, s3_upload):
    signed = s3_parts_place.parts.sign(s3_upload, PartRequest(1, 9, "", LATER), now=NOW)
    query = parse_qs(urlsplit(signed.url).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;host"]
    assert query["X-Amz-Expires"] == ["3600"]
    assert signed.headers == {}
    assert put_over_http(signed.url, b"all of it", {}).status_code == 200
    other = s3_parts_place.parts.begin(new_key(NOW))
    for url, content in (
        (signed.url, b"all of it, and more"),
        (signed.url, b"less"),
        (signed.url.replace("partNumber=1", "partNumber=2"), b"all of it"),
        (signed.url.replace(s3_upload.upload_id, other), b"all of it"),
        (signed.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=86400"), b"all of it"),
        (signed.url.replace(s3_upload.storage_path, new_key(NOW)), b"all of it"),
    ):
        assert put_over_http(url, content, {}).status_code == 403, url
    assert s3_parts_place.parts.held(s3_upload) == {1: 9}


def test_an_s3_link_covers_the_sha256_when_given(s3_parts_place, s3_upload):
    digest = hashlib.sha256(b"all of it").hexdigest()
    signed = s3_parts_place.parts.sign(s3_upload, PartRequest(1, 9, digest, LATER), now=NOW)
    assert signed.headers == {"x-amz-content-sha256": digest}
    assert put_over_http(signed.url, b"all of it", signed.headers).status_code == 200
    assert put_over_http(signed.url, b"all of xx", signed.headers).status_code == 403
    assert put_over_http(signed.url, b"all of it", {}).status_code == 403
    other = {"x-amz-content-sha256": hashlib.sha256(b"all of xx").hexdigest()}
    assert put_over_http(signed.url, b"all of xx", other).status_code == 403


def test_an_s3_completion_whose_reply_was_lost_is_found_by_looking(s3_parts_place, s3_upload, s3_storage):
    s3_parts_place.send(s3_upload, 1, b"all of it")
    named = {"Bucket": BUCKET, "Key": s3_upload.storage_path, "UploadId": s3_upload.upload_id}
    part = s3_storage.client.list_parts(**named)["Parts"][0]
    listed = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3_storage.client.complete_multipart_upload(**named, MultipartUpload=listed)
    s3_parts_place.parts.finish(s3_upload, 9)
    with pytest.raises(UploadNotHeld):
        s3_parts_place.parts.finish(s3_upload, 8)


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(1, 1), (10_000 * MEBIBYTE, 1), (10_000 * MEBIBYTE + 1, 2), (5 * 1024**4, 525)],
)
def test_parts_grow_so_that_ten_thousand_are_enough(size_bytes, expected):
    part_size = part_size_for(size_bytes, at_least=MEBIBYTE)
    assert part_size == expected * MEBIBYTE
    assert part_size * MAX_PARTS >= size_bytes


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(1, 16), (512 * MEBIBYTE, 16), (1024 * MEBIBYTE, 32), (4096 * MEBIBYTE, 64), (10_000 * 64 * MEBIBYTE + 1, 65)],
)
def test_a_large_file_has_larger_parts_but_none_that_would_be_a_loss(place, size_bytes, expected):
    assert part_size(place.parts, size_bytes, largest_bytes=1) == expected * MEBIBYTE


def test_a_part_of_another_size_than_the_whole_needs_is_missing():
    check_parts({1: 4, 2: 4, 3: 1}, 9, 4)
    with pytest.raises(PartsMissing) as missing:
        check_parts({1: 4, 2: 3, 3: 2}, 9, 4)
    assert missing.value.numbers == [2, 3]
