"""Local storage is one folder: workers that share the database must share it, too.

# Note [A sign in the folder]
Two machines with one database and a media folder each look healthy, and lose every second video. So each worker with
local storage leaves a file of its name beside the videos: one whose row is fresh but whose sign is not here works on
another folder. Containers that share a folder find each other's signs; names without MARK are of S3's, or older.
"""

from pathlib import Path

from django.conf import settings
from django.utils import timezone

from core.models import Worker
from core.services.queue_stats import SEEN_WITHIN
from core.storage.disk import disk_errors, make_folder

MARK = ":local"
MOVE_ON = "Give all the same folder, or move the videos to S3 (RUNBOOK.md), which any number of machines may share."


class AnotherFolder(Exception):
    """A worker that lives works on another media folder; the message names it."""


def signed_name(name: str) -> str:
    """Return the name under which a worker is to show that it lives; with local storage its sign is left, too.

    Raises StorageUnavailable when the folder cannot be written.
    """
    if settings.USE_S3:
        return name
    folder = _signs()
    with disk_errors():
        make_folder(folder)
        (folder / f"{name}{MARK}").touch()
    return f"{name}{MARK}"


def forget_sign(name: str) -> None:
    """Remove a worker's sign; one that is absent is fine."""
    (_signs() / name).unlink(missing_ok=True)


def check_one_folder() -> None:
    """Raise AnotherFolder when, with local storage, a worker that was seen lately has left no sign here."""
    if settings.USE_S3:
        return
    alive = Worker.objects.filter(seen_at__gt=timezone.now() - SEEN_WITHIN, name__endswith=MARK).order_by("name")
    for name in alive.values_list("name", flat=True):
        if not (_signs() / name).exists():
            raise AnotherFolder(f"local storage, but the worker {name.removesuffix(MARK)} uses another media folder")


def _signs() -> Path:
    return Path(settings.MEDIA_ROOT) / ".workers"
