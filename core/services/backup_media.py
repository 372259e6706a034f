"""The objects of a backup: found by their digests, copied when the place does not have them yet."""

import uuid
from pathlib import Path

from core.backup import layout
from core.backup.manifest import Gap, MediaFile, StoredFile
from core.backup.places import NotKept, Place, hashed_copy, read_small
from core.backup.sealed import Damaged, unseal
from core.services.backup_contents import NamedObject
from core.services.storage import VideoStorageService
from core.storage.base import InvalidKey, ObjectNotFound

LOST, OTHER_BYTES = "lost", "other bytes than its row says"


class ObjectCopier:
    """Copies objects into a place; remembers over several calls what the place has by now.

    `copied` and `copied_bytes` count what was not there before.
    """

    def __init__(self, place: Place):
        self._place = place
        self._backend = VideoStorageService().backend
        self._kept = place.names(layout.OBJECTS)
        for name in found_damaged(place):  # to be copied anew, over the damaged ones
            self._kept.pop(name, None)
        self._seen: dict[str, MediaFile] = {}
        self.copied = self.copied_bytes = 0

    def copy(self, objects: list[NamedObject]) -> tuple[list[MediaFile], list[Gap]]:
        """Return the objects as they are kept now, and those that the site does not hold as its rows say."""
        media, gaps = [], []
        for named in objects:
            try:
                file = self._stored(named)
            except (ObjectNotFound, InvalidKey):
                gaps.append(Gap(named.storage_path, LOST))
                continue
            if (named.sha256 and file.sha256 != named.sha256) or file.size_bytes != named.size_bytes:
                gaps.append(Gap(named.storage_path, OTHER_BYTES))
            media.append(file)
        return media, gaps

    def keep(self, path: Path, file: StoredFile) -> None:
        """Put the finished `path` into the place, unless it has these bytes already."""
        if self._kept.get(file.name) != file.size_bytes:
            self._place.put(path, file.name)
            self._kept[file.name] = file.size_bytes
            self.copied, self.copied_bytes = self.copied + 1, self.copied_bytes + file.size_bytes

    def _stored(self, named: NamedObject) -> MediaFile:
        name = layout.object_name(named.sha256) if named.sha256 else ""
        if name and self._kept.get(name) == named.size_bytes:
            return MediaFile(named.sha256, named.size_bytes, named.storage_path, named.plays)
        if named.storage_path not in self._seen:
            self._seen[named.storage_path] = self._fetch(named)
        return self._seen[named.storage_path]

    def _fetch(self, named: NamedObject) -> MediaFile:
        incoming = self._place.scratch() / str(uuid.uuid4())
        try:
            size, digest = self._read(named.storage_path, incoming)
            self.keep(incoming, StoredFile(digest, size))
        finally:
            incoming.unlink(missing_ok=True)
        # Frames of other bytes than were checked need not decode.
        return MediaFile(digest, size, named.storage_path, named.plays and digest == named.sha256)

    def _read(self, storage_path: str, incoming: Path) -> tuple[int, str]:
        with self._backend.open(storage_path) as source, incoming.open("xb") as copy:
            return hashed_copy(source, copy)


def found_damaged(place: Place) -> set[str]:
    """Return the names of objects that a restore drill found damaged."""
    names = [name for name in place.names(layout.BACKUPS) if name.endswith(f"/{layout.FAILED}")]
    damaged: set[str] = set()
    for name in names:
        try:
            damaged.update(map(str, unseal(read_small(place, name), name)["damaged"]))
        except (Damaged, NotKept, KeyError, TypeError):
            continue
    return damaged
