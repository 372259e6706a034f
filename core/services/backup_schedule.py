"""Backups without anybody: made when one is due, drilled, thinned out, and what came of it written down."""

import logging
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from core.backup import layout
from core.backup.places import NotKept, Place, PlaceBusy, PlaceUnavailable, read_small
from core.backup.sealed import Damaged
from core.services.backup import make_backup
from core.services.backup_drill import newest_verified, verify_backup
from core.services.backup_engines import BackupUnavailable, DatabaseDamaged
from core.services.backup_repository import NoBackup, backup_ids, backup_place, read_backup
from core.services.backup_retention import prune_backups
from core.services.backup_state import backup_period, record_failure, record_verified
from core.storage.base import StorageUnavailable

logger = logging.getLogger(__name__)

#: A backup of less is perhaps being drilled by whoever made it by hand.
DRILLED_AFTER = timedelta(hours=1)
EXPECTED = (Damaged, DatabaseDamaged, NoBackup, BackupUnavailable, PlaceUnavailable, StorageUnavailable)


def keep_backups(*, now: datetime) -> None:
    """Do what is due in the place for backups, and record how the newest verified one is; safe to run at any time.

    Killed anywhere, the next hour goes on: a backup is whole or absent, and one without a drill gets it. What fails is
    recorded (`core.services.backup_state`) and tried again; an unexpected error is recorded, too, and raised.
    """
    if not settings.BACKUP_ROOT:
        return
    try:
        place = backup_place("")
        problems = _do_what_is_due(place, now)
        newest = newest_verified(place)
    except PlaceBusy:
        logger.info("Backup left to who is at it")
        return
    except EXPECTED as error:
        logger.exception("Backup failed")
        record_failure(error.sentence, now=timezone.now())
        return
    except Exception as error:
        record_failure(f"{type(error).__name__}: see the log.", now=timezone.now())
        raise
    if problems:
        logger.error("Backup failed", extra={"problems": problems})
        record_failure(problems[0], now=timezone.now())
    elif newest is not None:
        record_verified(newest.manifest, now=timezone.now())
        logger.info("Backup recorded", extra={"backup_id": newest.id})


def _do_what_is_due(place: Place, now: datetime) -> list[str]:
    """Return what is wrong with the newest backup, as sentences."""
    ids = backup_ids(place)
    newest = read_backup(place, ids[-1]) if ids else None
    period = backup_period()
    if period and (newest is None or newest.manifest.time <= now - period):
        made = make_backup(place=place, now=now, token=secrets.token_hex(3))
        return _drill(place, made.id)
    if newest is None or newest.verified_at or newest.manifest.time > now - DRILLED_AFTER:
        return []
    if _has_failed(place, newest.id):
        return [f"The restore drill of {newest.id} failed: see failed.json beside its manifest."]
    return _drill(place, newest.id)


def _drill(place: Place, backup_id: str) -> list[str]:
    with place.writing():  # so that no other worker drills the same
        drill = verify_backup(place=place, backup_id=backup_id, now=timezone.now())
    if drill.passed:
        prune_backups(place=place)
    return drill.problems


def _has_failed(place: Place, backup_id: str) -> bool:
    try:
        read_small(place, layout.file_of(backup_id, layout.FAILED))
    except NotKept:
        return False
    return True
