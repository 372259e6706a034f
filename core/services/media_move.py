"""Moving every stored object between this machine's disk and the bucket while the site is up.

# Note [Copied, read back, then believed]
Bytes never change under their key, so a copy may be made at any time. It counts when it was read back from its new
place and has the SHA-256 of its row, and that is written into a journal. Both storages show an object whole or not at
all: whatever is killed when, the next run finds copies that are in the journal, copies it reads back first, and none
that are half. Nothing is removed but with `remove`, only after the site itself plays from the new place, and then only
originals that a row names and whose copy was believed. What no row names (any more) is counted, never removed: a run
with the wrong database would find that nothing is named.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from django.conf import settings

from core.backup.places import hashed_copy
from core.services.deletions import is_named
from core.services.media_journal import Journal, open_journal
from core.services.media_sides import LOCAL, S3, Named, Side, named_objects, side_of
from core.storage.base import ObjectExists, ObjectNotFound, StorageUnavailable, VideoBackend
from core.storage.disk import disk_errors, make_folder
from core.storage.local import LocalStorageBackend

AT_A_TIME = 4
NOWHERE = "in neither storage: restore it (see fsck_media)"
DAMAGED = "damaged where it is, so not copied: restore it (see fsck_media --checksums)"
GONE = "its copy has gone from the new place: its original stays, run this again"
OTHER_BYTES = "other bytes lie under its key at the new place: look whose they are, remove them, and run this again"
BROKEN = "came back damaged from the new place, and was removed there: run this again, and check that storage"


class StillPlayed(StorageUnavailable):
    """The site plays from the place whose objects were to be removed."""


@dataclass(frozen=True)
class Problem:
    """An object that is not, or not whole, at the new place."""

    storage_path: str
    detail: str


@dataclass
class Moved:
    """What a run did, or with `dry_run` would do: objects, bytes, and what is wrong."""

    to: str
    objects: int = 0
    already: int = 0
    copied: int = 0
    copied_bytes: int = 0
    to_copy: int = 0
    to_copy_bytes: int = 0
    unnamed: int = 0
    removed: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Return whether everything that rows name is whole at the new place."""
        return not self.problems and not self.to_copy

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "complete": self.is_complete}


def move_media(
    *, to: str, dry_run: bool = False, remove: bool = False, tell: Callable[[int, int], None] = lambda done, of: None
) -> Moved:
    """Copy to `to` (LOCAL or S3) what rows name and it lacks; see Note [Copied, read back, then believed].

    `tell` hears how many of how many were copied. Raises StorageUnavailable (StillPlayed, MoveBusy) and
    PlaceUnavailable; what was copied until then stays and counts.
    """
    here, there = (side_of(LOCAL), side_of(S3))[:: 1 if to == S3 else -1]
    if remove and (to == S3) != settings.USE_S3:
        raise StillPlayed(
            f"USE_S3={settings.USE_S3}: the site still plays what would be removed. Switch it to {to} first."
        )
    with open_journal(Path(settings.MEDIA_ROOT) / f".moved-to-{to}.jsonl", address=there.address) as journal:
        return _Move(here, there, journal, Moved(to), tell).run(dry_run=dry_run, remove=remove)


class _Move:
    """One run of `move_media`. Rows are listed before objects, so an object of a listed row is in one of the lists."""

    def __init__(self, here: Side, there: Side, journal: Journal, moved: Moved, tell: Callable[[int, int], None]):
        self._journal, self._moved, self._tell = journal, moved, tell
        self._from, self._to = here.backend, there.backend
        self._named = named_objects()
        self._here, self._there = here.sizes(), there.sizes()

    def run(self, *, dry_run: bool, remove: bool) -> Moved:
        wanted = [named for named in self._named.values() if not self._is_there(named.key)]
        self._moved.objects = len(self._named)
        self._moved.unnamed = len((self._here.keys() | self._there.keys()) - self._named.keys())
        self._moved.already = len(self._named) - len(wanted)
        if dry_run:
            self._foretell(wanted)
            return self._moved
        self._copy_all(wanted)
        if remove:
            self._remove()
        return self._moved

    def _is_there(self, key: str) -> bool:
        """Return whether the copy was believed, or the object was never anywhere but there."""
        size = self._there.get(key)
        if key not in self._here:
            return size is not None
        return key in self._journal.whole and size == self._here[key]

    def _foretell(self, wanted: list[Named]) -> None:
        present = [named.key for named in wanted if named.key in self._here]
        self._moved.to_copy, self._moved.to_copy_bytes = len(present), sum(self._here[key] for key in present)
        for named in wanted:
            if named.key not in self._here:
                self._note(named.key, NOWHERE)

    def _copy_all(self, wanted: list[Named]) -> None:
        pool = ThreadPoolExecutor(AT_A_TIME)
        try:
            for done, (named, size, problem) in enumerate(pool.map(self._copied, wanted), start=1):
                if problem:
                    self._note(named.key, problem)
                else:
                    self._moved.copied += 1
                    self._moved.copied_bytes += size
                self._tell(done, len(wanted))
        finally:
            pool.shutdown(cancel_futures=True)

    def _note(self, key: str, detail: str) -> None:
        if is_named(key):  # else it was deleted while this run looked at it
            self._moved.problems.append(Problem(key, detail))

    def _copied(self, named: Named) -> tuple[Named, int, str]:
        """Copy one object and read it back; return its bytes and what is wrong ("": nothing). Asks no database."""
        staged = Path(settings.INCOMING_ROOT) / str(uuid4())
        try:
            size, sha256 = _staged(self._from, named.key, staged)
            if named.sha256 not in ("", sha256):
                return named, 0, DAMAGED
            is_ours = _stored(self._to, staged, named)
            with self._to.open(named.key) as stored:
                back = _digest(stored)
        except ObjectNotFound:
            return named, 0, NOWHERE
        finally:
            staged.unlink(missing_ok=True)
        if back != sha256:
            if is_ours:
                self._to.delete(named.key)
            return named, 0, BROKEN if is_ours else OTHER_BYTES
        self._journal.add(named.key, sha256)
        return named, size, ""

    def _remove(self) -> None:
        """Remove the originals whose copies are believed and still there."""
        for key in self._here.keys() & self._journal.whole.keys() & self._named.keys():
            if self._may_go(key):
                self._from.delete(key)
                self._moved.removed += 1

    def _may_go(self, key: str) -> bool:
        try:
            return self._to.stat(key).size_bytes == self._here[key]
        except ObjectNotFound:
            self._note(key, GONE)
            return False


def _staged(source: VideoBackend, key: str, staged: Path) -> tuple[int, str]:
    """Make `staged` a local file with the object's bytes; return its bytes and SHA-256. ObjectNotFound."""
    with disk_errors():
        make_folder(staged.parent)
    if isinstance(source, LocalStorageBackend):
        _link(source.path(key), staged, key)
        with disk_errors(), staged.open("rb") as file:
            return staged.stat().st_size, _digest(file)
    with source.open(key) as stored, disk_errors(), staged.open("xb") as file:
        return hashed_copy(stored, file)


def _link(path: Path, staged: Path, key: str) -> None:
    """Give the same bytes another name: nothing is copied."""
    with disk_errors():
        try:
            staged.hardlink_to(path)
        except FileNotFoundError as error:
            raise ObjectNotFound(key) from error


def _stored(target: VideoBackend, staged: Path, named: Named) -> bool:
    """Store the file unless something has its key; return whether it was stored."""
    try:
        target.adopt(staged, named.key, mime_type=named.mime_type)
    except ObjectExists:
        return False
    return True


def _digest(file: BinaryIO) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
