"""The backups in a place: found, read, judged. Everything else about backups stands on this."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from core.backup import layout
from core.backup.manifest import Manifest, read_manifest
from core.backup.places import NotKept, Place, PlaceUnavailable, open_place, read_small
from core.backup.sealed import Damaged, digest_of, unseal
from core.storage.options import s3_options


class NoBackup(Exception):
    """The place has no such backup; `sentence` says which ones it has."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Backup:
    """One backup as it lies in its place. `verified_at` is None until a restore drill of this very manifest passed."""

    manifest: Manifest
    manifest_sha256: str
    verified_at: datetime | None

    @property
    def id(self) -> str:
        """Its name."""
        return self.manifest.id

    def to_json(self) -> dict[str, Any]:
        """Return a line of a list."""
        made, verified = self.manifest, self.verified_at
        return {
            "id": made.id,
            "created_at": made.created_at,
            "verified_at": verified.isoformat() if verified else None,
            "files": len(made.files),
            "size_bytes": made.size_bytes,
            "gaps": [f"{gap.storage_path}: {gap.reason}" for gap in made.gaps],
        }


def backup_place(address: str) -> Place:
    """Return the place at `address`, or at DJANGO_BACKUP_ROOT when that is empty; raises PlaceUnavailable."""
    address = address or str(getattr(settings, "BACKUP_ROOT", ""))
    if not address:
        raise PlaceUnavailable("There is no place for backups: set DJANGO_BACKUP_ROOT, or name one.")
    return open_place(address, scratch=settings.INCOMING_ROOT, s3_options=site_s3_options())


def site_s3_options() -> dict[str, object]:
    """Return how to reach S3 with the site's own settings, also when its videos are on disk."""
    return s3_options(
        bucket_name="",
        access_key=settings.AWS_ACCESS_KEY_ID,
        secret_key=settings.AWS_SECRET_ACCESS_KEY,
        region_name=settings.AWS_S3_REGION_NAME,
        endpoint_url=settings.AWS_S3_ENDPOINT_URL,
        addressing_style=settings.AWS_S3_ADDRESSING_STYLE,
        encryption=settings.AWS_S3_SSE,
    )


def backup_ids(place: Place) -> list[str]:
    """Return the ids of all backups, the oldest first."""
    return layout.ids_among(list(place.names(layout.BACKUPS)))


def chosen_id(place: Place, wanted: str) -> str:
    """Return `wanted` when there is such a backup; "latest" is the newest. Raises NoBackup."""
    ids = backup_ids(place)
    if not ids:
        raise NoBackup(f"There is no backup in {place.address}.")
    if wanted != "latest" and wanted not in ids:
        raise NoBackup(f"There is no backup {wanted!r} in {place.address}; the newest is {ids[-1]}.")
    return ids[-1] if wanted == "latest" else wanted


def read_backup(place: Place, backup_id: str) -> Backup:
    """Return a backup whose manifest and verification are what was written; raises Damaged, naming the file."""
    made = read_made(place, backup_id)
    return replace(made, verified_at=_verified_at(place, backup_id, made.manifest_sha256))


def read_made(place: Place, backup_id: str) -> Backup:
    """Return a backup as if it had never been verified; raises Damaged when the manifest is not what was written."""
    name = layout.file_of(backup_id, layout.MANIFEST)
    try:
        sealed = read_small(place, name)
    except NotKept as error:
        raise Damaged(f"{name} is missing.") from error
    manifest = read_manifest(unseal(sealed, name), backup_id=backup_id)
    return Backup(manifest, digest_of(sealed), None)


def read_backups(place: Place) -> tuple[list[Backup], list[str]]:
    """Return the backups that can be read, the oldest first, and a sentence for each that cannot."""
    backups, damaged = [], []
    for backup_id in backup_ids(place):
        try:
            backups.append(read_backup(place, backup_id))
        except Damaged as error:
            damaged.append(error.sentence)
    return backups, damaged


def _verified_at(place: Place, backup_id: str, manifest_sha256: str) -> datetime | None:
    name = layout.file_of(backup_id, layout.VERIFIED)
    try:
        said = unseal(read_small(place, name), name)
    except NotKept:
        return None
    if said.get("manifest_sha256") != manifest_sha256:
        raise Damaged(f"{name} is of another manifest: run verify_backup {backup_id} again.")
    return datetime.fromisoformat(str(said["verified_at"]))
