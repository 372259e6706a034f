"""Restoring: media first, the database last and in one step.

# Note [Never over live data]
A site that somebody uses is replaced only when a copy of it, made a moment ago, has passed its own restore drill, or
when the operator says in so many words that there is one (the site may be too damaged to be copied). Even then its
database is renamed, not removed. Objects are never overwritten; one with other bytes than the backup's is damaged, for
keys are random and their bytes never change, and gives way.

# Note [Killed halfway]
Objects come first: an object without a row harms nobody. The database is made ready under another name and takes its
place by one rename (SQLite) or one transaction (PostgreSQL). Killed before that, the site is as it was; after, it is
restored. Running the same command again finishes it.
"""

import hashlib
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from core.backup import layout
from core.backup.manifest import Manifest, MediaFile
from core.backup.places import Place, fetch
from core.services.backup import make_backup
from core.services.backup_drill import Drill, verify_backup
from core.services.backup_engines import BackupUnavailable, engine_named, site_engine_name
from core.services.backup_repository import read_backup
from core.services.media_sides import Named, named_objects
from core.services.storage import VideoStorageService
from core.storage.base import ObjectNotFound

logger = logging.getLogger(__name__)


class LiveData(Exception):
    """The site has data that nobody has agreed to replace."""

    sentence = (
        "This site is in use: it has accounts. Nothing was changed. With --replace a copy of it is made and verified "
        "first, then its database is set aside and the backup takes its place."
    )


class NotVerified(Exception):
    """A backup did not pass its restore drill; `drill` says why."""

    def __init__(self, drill: Drill):
        self.sentence = f"Backup {drill.backup_id} did not pass its restore drill: {drill.problems[0]}"
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Restored:
    """What was done. `copy_id` is the backup made of the old site, `kept` its old database ("" each when none)."""

    backup_id: str
    objects: int
    objects_there_already: int
    copy_id: str
    kept: str


def restore_backup(
    *, place: Place, backup_id: str, replace: bool, has_copy: bool, now: datetime, token: str
) -> Restored:
    """Make a backup the site's database and media; see the two Notes.

    Raises LiveData, NotVerified, DatabaseInUse, DatabaseDamaged, Damaged, and what the other services raise.
    """
    manifest = _verified(place, backup_id, now)
    if manifest.engine != site_engine_name():
        raise BackupUnavailable(f"This is a backup of {manifest.engine}, and the site uses {site_engine_name()}.")
    copy_id = "" if has_copy else _make_way(place, manifest, replace=replace, now=now, token=token)
    restored = [_restore_object(place, file) for file in manifest.media]
    kept = _restore_database(place, manifest, old_name=f"before-{layout.new_id(now, token)}")
    done = Restored(backup_id, sum(restored), len(restored) - sum(restored), copy_id, kept)
    fields: dict[str, Any] = {"backup_id": backup_id, "objects": done.objects, "kept": kept, "copy_id": copy_id}
    logger.info("Backup restored", extra=fields)
    return done


def restore_media(*, place: Place, backup_id: str, now: datetime) -> Restored:
    """Bring back the backup's objects that rows of this site name and its storage lacks or holds damaged.

    The database is only read, and the site may run. Raises NotVerified, Damaged, and what the other services raise.
    """
    named = named_objects()
    wanted = [
        file for file in _verified(place, backup_id, now).media if _is_named_so(named.get(file.storage_path), file)
    ]
    restored = [_restore_object(place, file) for file in wanted]
    return Restored(backup_id, sum(restored), len(restored) - sum(restored), "", "")


def _is_named_so(named: Named | None, file: MediaFile) -> bool:
    return named is not None and named.sha256 in ("", file.sha256)


def _verified(place: Place, backup_id: str, now: datetime) -> Manifest:
    """Return the manifest of a backup that counts; one that was not tried out yet is tried out now."""
    backup = read_backup(place, backup_id)
    if not backup.verified_at:
        drill = verify_backup(place=place, backup_id=backup_id, now=now)
        if not drill.passed:
            raise NotVerified(drill)
    return backup.manifest


def _make_way(place: Place, manifest: Manifest, *, replace: bool, now: datetime, token: str) -> str:
    """Return the id of a verified copy of the site, "" when nobody uses it; raises LiveData, NotVerified."""
    if not engine_named(manifest.engine).has_people():
        return ""
    if not replace:
        raise LiveData
    copy = make_backup(place=place, now=now, token=token)
    drill = verify_backup(place=place, backup_id=copy.id, now=now)
    if not drill.passed:
        raise NotVerified(drill)
    return copy.id


def _restore_database(place: Place, manifest: Manifest, *, old_name: str) -> str:
    path = _incoming()
    try:
        fetch(place, manifest.database, path)
        connections.close_all()
        _close_pools()
        return engine_named(manifest.engine).replace(path, expected=manifest.contents, old_name=old_name)
    finally:
        path.unlink(missing_ok=True)


def _close_pools() -> None:
    """Our own pooled connections would keep PostgreSQL from renaming the database."""
    for connection in connections.all():
        getattr(connection, "close_pool", lambda: None)()


def _restore_object(place: Place, file: MediaFile) -> bool:
    """Bring one object back unless it is there as it should be; return whether it was brought."""
    backend = VideoStorageService().backend
    if _is_there(file):
        return False
    incoming = _incoming()
    try:
        fetch(place, file, incoming)
        backend.delete(file.storage_path)  # absent, or damaged
        backend.adopt(incoming, file.storage_path, mime_type="application/octet-stream")
    finally:
        incoming.unlink(missing_ok=True)
    return True


def _incoming() -> Path:
    folder = Path(settings.INCOMING_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / str(uuid.uuid4())


def _is_there(file: MediaFile) -> bool:
    backend = VideoStorageService().backend
    try:
        if backend.stat(file.storage_path).size_bytes != file.size_bytes:
            return False
        with backend.open(file.storage_path) as stored:
            digest = hashlib.sha256()
            while block := stored.read(1024 * 1024):
                digest.update(block)
    except ObjectNotFound:
        return False
    return digest.hexdigest() == file.sha256
