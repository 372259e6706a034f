"""Removing stored objects, after the last row that named them is gone.

# Note [Rows first, then bytes]
An object is removed only after the transaction that dropped its last use has committed, so a rollback never
leaves a row without its file. The wish is written as a StorageDeletion in that same transaction; if the storage
does not answer, the row stays and the sweep tries again.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction

from core.models import Rendition, StorageDeletion, Upload, VideoAsset
from core.services.storage import VideoStorageService
from core.storage.base import StorageUnavailable

logger = logging.getLogger(__name__)


def request_deletion(*, storage_paths: Iterable[str], now: datetime, at_once: bool = True) -> None:
    """Ask for objects to be removed once the current transaction has committed, or else by the sweep."""
    paths = list(storage_paths)
    for path in paths:
        StorageDeletion.objects.get_or_create(storage_path=path, defaults={"requested_at": now})
    if at_once:
        transaction.on_commit(partial(_remove_all, paths))


def sweep_deletions(*, before: datetime) -> tuple[int, int]:
    """Try the deletions requested before a time again; return how many are done and how many remain.

    Give younger ones time: a poster on its way in has a StorageDeletion until its row is committed.
    """
    requested = StorageDeletion.objects.filter(requested_at__lt=before).order_by("requested_at", "pk")
    results = [_remove(path) for path in requested.values_list("storage_path", flat=True)]
    return sum(results), len(results) - sum(results)


def _remove_all(paths: list[str]) -> None:
    """Remove objects while somebody waits: a storage that is away is asked once, and the sweep does the rest."""
    all(_remove(path) for path in paths)


def _remove(path: str) -> bool:
    if not is_named(path):
        try:
            VideoStorageService().delete_video(path)
        except StorageUnavailable:
            logger.exception("Object not removed, the sweep will try again", extra={"storage_path": path})
            return False
    StorageDeletion.objects.filter(storage_path=path).delete()
    return True


def is_named(path: str) -> bool:
    """Return whether any row still uses the object, such as an exercise copied with its video."""
    unfinished = Upload.objects.filter(storage_path=path, state__in=Upload.UNFINISHED)
    return (
        VideoAsset.objects.filter(storage_path=path).exists()
        or Rendition.objects.filter(storage_path=path).exists()
        or unfinished.exists()
    )
