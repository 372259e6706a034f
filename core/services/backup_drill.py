"""The restore drill: a backup counts once it was restored, beside the site, and found to be what it says.

# Note [What the drill proves]
Every file comes back with its digest; the database opens, holds together, and has the rows and migrations of the
manifest; the rows name exactly the objects that are there; every ready video decodes, by the same inspection as when it
came in; and this release, after its own migrations, serves the log-in page from the restored database. Videos are
restored and tried one after another, so the drill needs disk for the database and the largest video.
Listing an archive (`pg_restore --list`, `gunzip -t`) proves none of this.
"""

import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from core.backup import layout
from core.backup.manifest import Manifest, MediaFile
from core.backup.places import Place, fetch
from core.backup.sealed import Damaged, seal
from core.media.confined import InspectionUnavailable
from core.media.facts import NotAVideo
from core.media.inspection import inspect_video
from core.services.backup_engines import BackupUnavailable, DatabaseDamaged, Scratch, engine_named
from core.services.backup_repository import Backup, backup_ids, read_backup, read_made

logger = logging.getLogger(__name__)

SMOKE_SECONDS = 300


@dataclass(frozen=True)
class Drill:
    """How a drill went. `problems` are sentences, none when it passed; `damaged` names files of the place."""

    backup_id: str
    files: int
    size_bytes: int
    rows: int
    videos_decoded: int
    problems: list[str]
    damaged: list[str]

    @property
    def passed(self) -> bool:
        """Return whether the backup counts now."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the drill as it is recorded."""
        return asdict(self)


def verify_backup(*, place: Place, backup_id: str, now: datetime) -> Drill:
    """Restore a backup into a scratch database and folder, and record beside its manifest how that went.

    Raises Damaged when there is no manifest to go by, NoBackup, BackupUnavailable and PlaceUnavailable. What could not
    be tried (a database server that is away, a program that is missing) leaves what was recorded before, unless damage
    was found already: somebody who looks at the backups while the site is down would otherwise find none to restore.
    """
    backup = read_made(place, backup_id)  # a damaged record of another drill is no reason not to run this one
    with tempfile.TemporaryDirectory(prefix="practika-drill-", dir=_scratch_root()) as folder:
        drill = _Run(place, backup.manifest, Path(folder)).result()
    _record(place, backup, drill, now)
    fields: dict[str, Any] = {"backup_id": backup_id, "passed": drill.passed, "problems": drill.problems}
    logger.info("Backup verified", extra=fields)
    return drill


def newest_verified(place: Place) -> Backup | None:
    """Return the newest backup whose drill passed, None when there is none; damaged ones are passed over."""
    for backup_id in reversed(backup_ids(place)):
        try:
            backup = read_backup(place, backup_id)
        except Damaged:
            continue
        if backup.verified_at:
            return backup
    return None


class _Run:
    """One drill in `folder`, which is gone afterwards."""

    def __init__(self, place: Place, manifest: Manifest, folder: Path):
        self._place, self._manifest, self._folder = place, manifest, folder
        self._problems: list[str] = []
        self._damaged: list[str] = []
        self._decoded = 0

    def result(self) -> Drill:
        try:
            self._try_media()
            self._try_database()
        except DatabaseDamaged as error:
            self._problems.append(error.sentence)
        except Damaged as error:
            self._found_damaged(self._manifest.database.name, error)
        except BackupUnavailable as error:
            if not self._problems:
                raise
            self._problems.append(error.sentence)
        made = self._manifest
        rows = sum(made.contents.tables.values())
        return Drill(
            made.id, len(made.files), made.size_bytes, rows, self._decoded, self._problems, sorted(set(self._damaged))
        )

    def _try_media(self) -> None:
        for file in self._manifest.media:
            path = self._folder / "video"
            try:
                fetch(self._place, file, path)
                if file.plays:
                    self._decode(path, file)
            except Damaged as error:
                self._found_damaged(file.name, error)
            finally:
                path.unlink(missing_ok=True)

    def _decode(self, path: Path, file: MediaFile) -> None:
        try:
            inspect_video(path, poster=self._folder / "poster.jpg")
            self._decoded += 1
        except NotAVideo as error:
            self._problems.append(f"{file.storage_path} does not decode: {error.sentence}")
        except InspectionUnavailable as error:
            raise BackupUnavailable("Videos cannot be examined on this machine just now: see the log.") from error

    def _try_database(self) -> None:
        path = self._folder / "database"
        fetch(self._place, self._manifest.database, path)
        with engine_named(self._manifest.engine).scratch(path, self._folder) as scratch:
            self._compare(scratch)
            if not self._problems:
                self._problems += smoke(scratch, self._folder)

    def _compare(self, scratch: Scratch) -> None:
        told, found = self._manifest.contents, scratch.contents
        for table in sorted(told.tables.keys() | found.tables.keys()):
            if (has := found.tables.get(table, 0)) != (should := told.tables.get(table, 0)):
                self._problems.append(f"Table {table} has {has} rows; the manifest tells {should}.")
        if found.migrations != told.migrations:
            self._problems.append("The applied migrations are not those that the manifest tells.")
        lost = {gap.storage_path for gap in self._manifest.gaps}
        paths = {file.storage_path for file in self._manifest.media} | lost
        if missing := {named.storage_path for named in scratch.objects} ^ paths:
            self._problems.append(f"{len(missing)} objects are in the database or the backup only: {min(missing)} …")

    def _found_damaged(self, name: str, error: Damaged) -> None:
        self._damaged.append(name)
        if error.sentence not in self._problems:
            self._problems.append(error.sentence)


def smoke(scratch: Scratch, folder: Path) -> list[str]:
    """Return what keeps this release from serving the scratch database: migrations and the log-in page are tried."""
    variables = scratch.variables | {"USE_S3": "False", "DJANGO_MEDIA_ROOT": str(folder / "media")}
    command = [sys.executable, "-m", "core.services.backup_smoke"]
    environment = os.environ | variables | {"DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE}
    try:
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=SMOKE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return [f"The smoke check of the restored database did not end within {SMOKE_SECONDS} s."]
    if done.returncode == 0:
        return []
    lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
    return [f"The smoke check of the restored database failed: {lines[-1][:300]}"]


def _record(place: Place, backup: Backup, drill: Drill, now: datetime) -> None:
    said = {
        **drill.to_json(),
        "manifest_sha256": backup.manifest_sha256,
        "verified_at": now.isoformat(),
        "verified_by": settings.VERSION,
    }
    result, other = (layout.VERIFIED, layout.FAILED) if drill.passed else (layout.FAILED, layout.VERIFIED)
    place.put_bytes(seal(said), layout.file_of(backup.id, result))
    place.delete(layout.file_of(backup.id, other))


def _scratch_root() -> Path | None:
    """Use the site's own disk for what comes in: /tmp is often small, and in memory."""
    root = Path(settings.INCOMING_ROOT)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return root
