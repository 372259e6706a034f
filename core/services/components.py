"""What the site stands on, one check each: silent when it is usable, an exception that says why when not."""

import shutil
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder

from core.second_cache import SECOND_CACHE
from core.services.backup_state import backup_problem
from core.services.one_folder import AnotherFolder, check_one_folder
from core.services.queue_stats import queue_stats
from core.services.storage import VideoStorageService

LONGEST_WAIT = timedelta(minutes=15)
LEAST_FREE_BYTES = 1024**3
LEAST_FREE_SHARE = 0.02


class MigrationsUnapplied(Exception):
    """The database lacks migrations that this release brings."""


class NotUsable(Exception):
    """A component answers, but not as it should; the message says what is wrong."""


def check_database() -> None:
    """Raise DatabaseError when the database does not answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_migrations() -> None:
    """Raise MigrationsUnapplied when the database is behind this release, or DatabaseError."""
    applied = MigrationRecorder(connection).applied_migrations()
    missing = [
        f"{app}.{name}"
        for (app, name), migration in _migrations_on_disk().items()
        if (app, name) not in applied
        and not (migration.replaces and all(tuple(key) in applied for key in migration.replaces))
    ]
    if missing:
        raise MigrationsUnapplied(", ".join(sorted(missing)))


def check_storage() -> None:
    """Raise StorageUnavailable when an object cannot be written, read, and deleted."""
    VideoStorageService().backend.check()


def check_first_cache() -> None:
    """Raise the cache's own error when it cannot be read; log-in limits live in it. Reading locks nothing."""
    cache.get("ready")


def check_cache() -> None:
    """Raise what `check_first_cache` raises, and SecondCacheAway when only Redis does not answer."""
    check_first_cache()
    SECOND_CACHE.check()


def check_queue() -> None:
    """Raise NotUsable when a video has waited for processing longer than LONGEST_WAIT."""
    waited_s = queue_stats().oldest_wait_s
    if waited_s > LONGEST_WAIT.total_seconds():
        raise NotUsable(f"A video has waited for {waited_s:.0f} s to be processed.")


def check_worker() -> None:
    """Raise NotUsable when no worker was seen lately, or one works on another media folder."""
    try:
        check_one_folder()
    except AnotherFolder as error:
        raise NotUsable(str(error)) from error
    if not queue_stats().workers:
        raise NotUsable("No worker was seen lately: start manage.py worker.")


def check_disk() -> None:
    """Raise NotUsable when the disk that videos come in on is nearly full."""
    usage = media_disk_usage()
    if usage.free < max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * usage.total):
        raise NotUsable(f"{usage.free} bytes are free.")


def check_backup() -> None:
    """Raise NotUsable when backups are wanted and there is no fresh verified one, or the last attempt failed."""
    if problem := backup_problem():
        raise NotUsable(problem)


def media_disk_usage() -> "shutil._ntuple_diskusage":
    """Return total, used, and free bytes of the disk that videos come in on."""
    root = Path(settings.MEDIA_ROOT)
    return shutil.disk_usage(next(path for path in (root, *root.parents) if path.exists()))


@lru_cache(maxsize=1)
def _migrations_on_disk() -> dict[tuple[str, str], Migration]:
    """Read them once: they cannot change while the process runs, and reading them takes a while."""
    return MigrationLoader(None, ignore_no_migrations=True).disk_migrations
