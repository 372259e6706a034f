"""Making a backup: the database first, then every object it names, then the manifest that makes it one.

# Note [Database first, media second]
A video is in storage before its row says so, so everything a copied database names was there at that moment. What is
missing when it is to be copied was deleted meanwhile, together with its row; then the database is copied once more,
which costs little, because objects that are kept already are not copied again. An object whose row is still there is
lost or damaged on the site itself. The backup is made without it, names it as a gap, and says so: one lost video must
not end all backups.
"""

import hashlib
import logging
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from core.backup import layout
from core.backup.manifest import Gap, Manifest, MediaFile, StoredFile
from core.backup.places import Place
from core.backup.sealed import seal
from core.models import Rendition, VideoAsset
from core.services.backup_engines import BackupUnavailable, DatabaseCopy, engine_named, site_engine_name
from core.services.backup_media import ObjectCopier

logger = logging.getLogger(__name__)

TRIES = 3


def make_backup(*, place: Place, now: datetime, token: str) -> Manifest:
    """Return the manifest of a new backup in `place`; `token` is six random hexadecimal digits.

    Raises BackupUnavailable, DatabaseDamaged, StorageUnavailable, PlaceUnavailable (PlaceBusy); no backup is left then.
    """
    with place.writing():
        copier = ObjectCopier(place)
        for _ in range(TRIES):
            copy, database = _copy_database(place, copier)
            media, gaps = copier.copy(copy.objects)
            if all(map(_is_still_named, gaps)):
                break
        else:
            raise BackupUnavailable("Videos were deleted faster than they were copied: try again when it is quieter.")
        backup_id = layout.new_id(now, token)
        manifest = _manifest(backup_id, now, copy, database, media, gaps)
        place.put_bytes(seal(manifest.to_json()), layout.file_of(backup_id, layout.MANIFEST))
    fields: dict[str, Any] = {"backup_id": backup_id, "size_bytes": manifest.size_bytes, "gaps": len(gaps)}
    logger.info("Backup made", extra={**fields, "copied_objects": copier.copied, "copied_bytes": copier.copied_bytes})
    return manifest


def _copy_database(place: Place, copier: ObjectCopier) -> tuple[DatabaseCopy, StoredFile]:
    path = place.scratch() / f"{uuid.uuid4()}.database"
    try:
        copy = engine_named(site_engine_name()).copy(path)
        file = _measured(path)
        copier.keep(path, file)
    finally:
        path.unlink(missing_ok=True)
    return copy, file


def _measured(path: Path) -> StoredFile:
    with path.open("rb") as file:
        return StoredFile(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def _is_still_named(gap: Gap) -> bool:
    named = {"storage_path": gap.storage_path}
    return VideoAsset.objects.filter(**named).exists() or Rendition.objects.filter(**named).exists()


def _manifest(
    backup_id: str, now: datetime, copy: DatabaseCopy, database: StoredFile, media: list[MediaFile], gaps: list[Gap]
) -> Manifest:
    return Manifest(
        id=backup_id,
        created_at=now.isoformat(),
        practika_version=settings.VERSION,
        engine=copy.engine,
        engine_version=copy.engine_version,
        database=database,
        contents=copy.contents,
        media=media,
        gaps=gaps,
    )
