"""Names inside a place for backups.

# Note [Layout of a backup]
    objects/<2 digits>/<sha256>     bytes under their own digest: videos, and each backup's copy of the database
    backups/<id>/manifest.json      what the backup consists of; the only file that makes it a backup
    backups/<id>/verified.json      a restore drill passed   (or failed.json: it did not, and what it found)
    incoming/                       files on their way in, under random names
    lock                            who is writing

A backup is its manifest. Everything that a manifest names is stored before it, and the manifest itself appears in one
step, so a run that is killed anywhere leaves no backup, or a whole one; besides that only objects which the next
backup uses and `prune_backups` removes. Objects are shared: the second backup stores only what is new.
"""

import re
from datetime import UTC, datetime

OBJECTS, BACKUPS = "objects/", "backups/"
MANIFEST, VERIFIED, FAILED = "manifest.json", "verified.json", "failed.json"

_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def new_id(now: datetime, token: str) -> str:
    """Return the name of a backup of that moment; `token` is six random hexadecimal digits."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{token}"


def is_id(text: str) -> bool:
    """Return whether `text` is the name of a backup."""
    return _ID.fullmatch(text) is not None


def is_digest(text: object) -> bool:
    """Return whether `text` is a SHA-256 as we write it."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def object_name(digest: str) -> str:
    """Return where the bytes of that SHA-256 are."""
    return f"{OBJECTS}{digest[:2]}/{digest}"


def digest_in(name: str) -> str:
    """Return the SHA-256 that an object's name says."""
    return name.rsplit("/", 1)[-1]


def file_of(backup_id: str, file: str) -> str:
    """Return the name of one of a backup's own files: MANIFEST, VERIFIED or FAILED."""
    return f"{BACKUPS}{backup_id}/{file}"


def ids_among(names: list[str]) -> list[str]:
    """Return the backups whose manifests are among `names`, the oldest first."""
    parts = (name.split("/") for name in names if name.startswith(BACKUPS))
    return sorted(part[1] for part in parts if len(part) == 3 and part[2] == MANIFEST and is_id(part[1]))
