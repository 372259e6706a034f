"""Thinning out: which backups go, and the objects that none of the others names."""

import logging
from dataclasses import dataclass
from typing import Any

from core.backup import layout
from core.backup.places import Place
from core.backup.retention import Kept, to_remove
from core.services.backup_repository import Backup, read_backups

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrunedBackups:
    """What went, or would go. `problems` are sentences; with one, objects stay: an unread manifest may name them."""

    removed: list[str]
    kept: list[str]
    objects: int
    object_bytes: int
    problems: list[str]


def prune_backups(*, place: Place, dry_run: bool = False) -> PrunedBackups:
    """Remove what `core.backup.retention` lets go, manifests first, then objects that no manifest names.

    Killed anywhere, what is left over are objects, which the next run removes. Raises PlaceUnavailable (PlaceBusy).
    """
    with place.writing():
        backups, problems = read_backups(place)
        going = set(to_remove(Kept(each.id, each.manifest.time, bool(each.verified_at)) for each in backups))
        staying = [each for each in backups if each.id not in going]
        objects = {} if problems else _unnamed(place, staying)
        if not any(each.verified_at for each in backups):
            problems = [*problems, "No backup is verified, so none was removed: run verify_backup."]
        if not dry_run:
            _remove(place, [each.id for each in backups if each.id in going], list(objects))
    gone, stay = sorted(going), [each.id for each in staying]
    fields: dict[str, Any] = {"removed": gone, "objects": len(objects), "dry_run": dry_run}
    logger.info("Backups pruned", extra=fields)
    return PrunedBackups(gone, stay, len(objects), sum(objects.values()), problems)


def _unnamed(place: Place, staying: list[Backup]) -> dict[str, int]:
    named = {file.name for backup in staying for file in backup.manifest.files}
    return {name: size for name, size in place.names(layout.OBJECTS).items() if name not in named}


def _remove(place: Place, backup_ids: list[str], objects: list[str]) -> None:
    """The manifest goes first: from then on there is no such backup, whole or half."""
    for backup_id in backup_ids:
        for file in (layout.MANIFEST, layout.VERIFIED, layout.FAILED):
            place.delete(layout.file_of(backup_id, file))
    for name in objects:
        place.delete(name)
