"""Rows against objects: what the database names and the storage lacks, what the storage has and nothing names.

# Note [A running site]
Rows and objects come and go while this looks, so nothing that a look at two lists suggests is believed: whatever seems
wrong is asked again, of the storage and of the database, before it is told. Objects that an unfinished upload names, or
that wait to be removed, are as they should be.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from django.conf import settings

from core.backup.folder import FolderPlace
from core.backup.places import open_place
from core.models import Rendition, StorageDeletion, Upload, VideoAsset
from core.services.backup_repository import site_s3_options
from core.services.storage import VideoStorageService
from core.storage.base import InvalidKey, ObjectNotFound

NO_OBJECT, NO_ROW, WRONG_SIZE, WRONG_CHECKSUM = "no object", "no row", "wrong size", "wrong checksum"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong; `row` says which row names the object ("" when none does)."""

    kind: str
    storage_path: str
    row: str
    detail: str


@dataclass(frozen=True)
class Checked:
    """How much was looked at, and what is wrong."""

    rows: int
    objects: int
    findings: list[Finding]

    def to_json(self) -> dict:
        """Return plain values."""
        return asdict(self)


Row = VideoAsset | Rendition


def check_media(*, checksums: bool = False) -> Checked:
    """Compare every row with its object and the reverse; with `checksums` read every object's bytes as well.

    Nothing is changed. Raises StorageUnavailable and PlaceUnavailable.
    """
    objects = stored_objects()
    rows: list[Row] = [*VideoAsset.objects.stored().order_by("storage_path", "pk")]
    rows += Rendition.objects.order_by("storage_path", "pk")
    findings = [finding for row in rows if (finding := _wrong(row, objects, checksums=checksums))]
    named = {row.storage_path for row in rows}
    findings += list(_without_row(path for path in sorted(objects) if path not in named))
    return Checked(len(rows), len(objects), findings)


def stored_objects() -> dict[str, int]:
    """Return key → bytes of every object in the site's storage."""
    if settings.USE_S3:
        bucket = f"s3://{settings.AWS_STORAGE_BUCKET_NAME}"
        return open_place(bucket, scratch=settings.INCOMING_ROOT, s3_options=site_s3_options()).names("videos/")
    return FolderPlace(settings.MEDIA_ROOT).names("videos/")


def _wrong(row: Row, objects: dict[str, int], *, checksums: bool) -> Finding | None:
    fine = objects.get(row.storage_path) == row.size_bytes
    if fine and not checksums:
        return None
    backend, checked = VideoStorageService().backend, checksums and bool(row.checksum_sha256)
    try:
        size = backend.stat(row.storage_path).size_bytes
        digest = _digest(row.storage_path) if checked and size == row.size_bytes else row.checksum_sha256
    except (ObjectNotFound, InvalidKey):
        return _if_still_so(row, NO_OBJECT, "")
    if size != row.size_bytes:
        return _if_still_so(row, WRONG_SIZE, f"{size} bytes, the row says {row.size_bytes}")
    if digest != row.checksum_sha256:
        return _if_still_so(row, WRONG_CHECKSUM, f"SHA-256 is {digest}")
    return None


def _if_still_so(row: Row, kind: str, detail: str) -> Finding | None:
    """Return the finding unless the row is gone or changed by now."""
    same = type(row).objects.filter(pk=row.pk, storage_path=row.storage_path, size_bytes=row.size_bytes)
    return Finding(kind, row.storage_path, f"{type(row).__name__} {row.pk}", detail) if same.exists() else None


def _digest(storage_path: str) -> str:
    digest = hashlib.sha256()
    with VideoStorageService().backend.open(storage_path) as stored:
        while block := stored.read(1024 * 1024):
            digest.update(block)
    return digest.hexdigest()


def _without_row(paths: Iterator[str]) -> Iterator[Finding]:
    for path in paths:
        expected = (
            StorageDeletion.objects.filter(storage_path=path).exists()
            or Upload.objects.filter(storage_path=path, state__in=Upload.UNFINISHED).exists()
            or VideoAsset.objects.filter(storage_path=path).exists()
            or Rendition.objects.filter(storage_path=path).exists()
        )
        if expected:
            continue
        try:
            size = VideoStorageService().backend.stat(path).size_bytes
        except ObjectNotFound:
            continue
        except InvalidKey:
            yield Finding(NO_ROW, path, "", "is no key of ours")
            continue
        yield Finding(NO_ROW, path, "", f"{size} bytes")
