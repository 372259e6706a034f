"""The manifest: everything a backup consists of, with sizes, digests, and what the restored database must hold."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.backup.layout import file_of, is_digest, is_id, object_name
from core.backup.sealed import Damaged

FORMAT = 1
SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True)
class StoredFile:
    """Bytes of a backup: their SHA-256 is their name in the place."""

    sha256: str
    size_bytes: int

    @property
    def name(self) -> str:
        """Where the bytes are in the place."""
        return object_name(self.sha256)


@dataclass(frozen=True)
class MediaFile(StoredFile):
    """A stored object of the site. `plays`: it is a video whose frames must decode."""

    storage_path: str
    plays: bool


@dataclass(frozen=True)
class Gap:
    """An object that the site itself had lost, or held with other bytes than its row says, when it was backed up."""

    storage_path: str
    reason: str


@dataclass(frozen=True)
class Contents:
    """What a database holds: rows by table, and the applied migrations as "app.name"."""

    tables: dict[str, int]
    migrations: list[str]


@dataclass(frozen=True)
class Manifest:
    """One backup. `engine` is SQLITE or POSTGRESQL, `engine_version` that of the library or server copied from."""

    id: str
    created_at: str
    practika_version: str
    engine: str
    engine_version: str
    database: StoredFile
    contents: Contents
    media: list[MediaFile]
    gaps: list[Gap]

    @property
    def files(self) -> list[StoredFile]:
        """Every different file, the database first."""
        return list({file.sha256: file for file in [self.database, *self.media]}.values())

    @property
    def time(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.created_at)

    @property
    def size_bytes(self) -> int:
        """The bytes of all its files, those it shares with other backups too."""
        return sum(file.size_bytes for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Return what `read_manifest` takes."""
        return {"format": FORMAT, **asdict(self)}


def read_manifest(said: dict[str, Any], *, backup_id: str) -> Manifest:
    """Return the manifest in a document; raise Damaged when it is not one of backup `backup_id` that we can read."""
    name = file_of(backup_id, "manifest.json")
    if said.get("format") != FORMAT:
        raise Damaged(f"{name} has format {said.get('format')!r}; this release reads format {FORMAT} only.")
    try:
        fields = {field: said[field] for field in Manifest.__dataclass_fields__}
        manifest = Manifest(
            **fields
            | {
                "database": StoredFile(**said["database"]),
                "contents": Contents(**said["contents"]),
                "media": [MediaFile(**file) for file in said["media"]],
                "gaps": [Gap(**gap) for gap in said["gaps"]],
            }
        )
        _check(manifest, backup_id)
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"{name} makes no sense: {error}.") from error
    return manifest


def _check(manifest: Manifest, backup_id: str) -> None:
    if manifest.id != backup_id or not is_id(backup_id):
        raise ValueError(f"it says it is {manifest.id}")
    if manifest.engine not in {SQLITE, POSTGRESQL}:
        raise ValueError(f"the engine {manifest.engine} is not known")
    if not all(is_digest(file.sha256) and type(file.size_bytes) is int for file in manifest.files):
        raise ValueError("a file has no digest or size")
    if manifest.time.tzinfo is None:
        raise ValueError("its time has no zone")
