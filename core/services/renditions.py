"""Storing the files made from a video: first the bytes, then the row that names them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.models import Rendition, StorageDeletion, VideoAsset
from core.services.deletions import request_deletion
from core.services.storage import VideoStorageService
from core.storage.keys import new_key


@dataclass(frozen=True)
class StoredFile:
    """An object that no row names yet."""

    storage_path: str
    size_bytes: int
    checksum_sha256: str


def store_file(source: Path, *, mime_type: str, now: datetime) -> StoredFile:
    """Move a finished local file into storage under a new key; may raise StorageUnavailable.

    Until `record_rendition` names it, a StorageDeletion does: should that never be reached, the sweep removes it.
    """
    with source.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    stored = StoredFile(new_key(now), source.stat().st_size, checksum)
    StorageDeletion.objects.create(storage_path=stored.storage_path, requested_at=now)
    VideoStorageService().adopt_video(source, storage_path=stored.storage_path, mime_type=mime_type)
    return stored


def record_rendition(*, video: VideoAsset, kind: str, stored: StoredFile, now: datetime) -> None:
    """Name a stored file as the video's one rendition of its kind; the one before goes. Call it in a transaction."""
    previous = Rendition.objects.filter(video=video, kind=kind)
    replaced = list(previous.values_list("storage_path", flat=True))
    previous.delete()
    Rendition.objects.create(
        video=video,
        kind=kind,
        storage_path=stored.storage_path,
        size_bytes=stored.size_bytes,
        checksum_sha256=stored.checksum_sha256,
        created_at=now,
    )
    StorageDeletion.objects.filter(storage_path=stored.storage_path).delete()
    request_deletion(storage_paths=replaced, now=now)
