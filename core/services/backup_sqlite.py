"""SQLite: copied by its backup API, which a copy of the file is no substitute for.

# Note [Why not cp]
Under WAL the newest rows are in another file, and a copy made while somebody writes is torn. The backup API copies all
pages in one read transaction (sqlite.org/backup.html); the copy is then taken out of WAL, so that it is one file.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.backup.manifest import SQLITE, Contents
from core.services.backup_contents import Ask, contents_of, has_people, objects_in
from core.services.backup_engines import BackupUnavailable, DatabaseCopy, DatabaseDamaged, DatabaseInUse, Scratch
from core.storage.disk import sync

_LOCK_TIMEOUT_S = 5
_BESIDE = ("-wal", "-shm", "-journal")


class SQLiteEngine:
    """The database file that `settings` (of a connection) name; a backup of SQLite can be tried out beside any site."""

    def __init__(self, settings: dict[str, Any]):
        self._path = Path(settings["NAME"])

    def copy(self, target: Path) -> DatabaseCopy:
        """Copy and check it (see Engine)."""
        if not self._path.is_file():
            raise BackupUnavailable(f"There is no database at {self._path}: check DJANGO_DB_NAME.")
        try:
            with closing(_opened(self._path, "rw")) as live, closing(sqlite3.connect(target)) as copy:
                live.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise BackupUnavailable(f"The database {self._path} cannot be copied: {error}.") from error
        with _checked(target) as ask:
            return DatabaseCopy(SQLITE, sqlite3.sqlite_version, contents_of(ask, engine=SQLITE), objects_in(ask))

    @contextmanager
    def scratch(self, source: Path, folder: Path) -> Iterator[Scratch]:
        """Use the file as it is, in a folder that goes away (see Engine)."""
        path = folder / "database.sqlite3"
        source.rename(path)
        with _checked(path) as ask:
            contents, objects = contents_of(ask, engine=SQLITE), objects_in(ask)
        unset = dict.fromkeys(("DATABASE_URL", "DATABASE_URL_FILE", "DJANGO_DB_ENGINE"), "")
        yield Scratch(contents, objects, unset | {"DJANGO_DB_NAME": str(path), "DJANGO_ALLOW_SQLITE": "True"})

    def has_people(self) -> bool:
        """Ask the file, if there is one; one that cannot be read counts as used."""
        if not self._path.is_file():
            return False
        try:
            with closing(_opened(self._path, "rw")) as database:
                return has_people(_ask(database), engine=SQLITE)
        except sqlite3.Error:
            return True

    def replace(self, source: Path, *, expected: Contents, old_name: str) -> str:
        """Rename `source` over the file, the old one kept beside it under another name (see Engine)."""
        with _checked(source) as ask:
            if contents_of(ask, engine=SQLITE) != expected:
                raise DatabaseDamaged("The restored database does not hold the rows that the manifest tells.")
        kept = self._path.with_name(f"{self._path.name}.{old_name}")
        ready = self._path.with_name(f"{self._path.name}.restoring")
        _move(source, ready)
        with _nobody_else(self._path):
            existed = _keep(self._path, kept)
            ready.replace(self._path)
            sync(self._path.parent)
        return str(kept) if existed else ""


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=_LOCK_TIMEOUT_S)


def _ask(database: sqlite3.Connection) -> Ask:
    return lambda statement: database.execute(statement).fetchall()


@contextmanager
def _checked(path: Path) -> Iterator[Ask]:
    """Give a way to ask a file that holds together; raise DatabaseDamaged when it does not."""
    try:
        with closing(_opened(path, "ro")) as database:
            ask = _ask(database)
            if (found := ask("PRAGMA integrity_check")) != [("ok",)]:
                raise DatabaseDamaged(f"The database does not hold together: {found[0][0]}.")
            if found := ask("PRAGMA foreign_key_check"):
                raise DatabaseDamaged(f"{len(found)} rows point to rows that are missing, first in {found[0][0]}.")
            yield ask
    except sqlite3.Error as error:
        raise DatabaseDamaged(f"The copy cannot be read as a Practika database: {error}.") from error


@contextmanager
def _nobody_else(path: Path) -> Iterator[None]:
    """Hold the file alone, its WAL written back; raise DatabaseInUse. A file that is none any more needs no lock."""
    if not path.is_file():
        yield
        return
    with closing(_opened(path, "rw")) as database:
        try:
            database.execute("PRAGMA journal_mode=DELETE")  # refused while others have the file open under WAL
            database.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise DatabaseInUse from error
        except sqlite3.DatabaseError:
            yield
            return
        yield


def _keep(path: Path, kept: Path) -> bool:
    """Give the file a second name, and what is beside it (of a database that could not be read) that name too."""
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + ending))
    if not path.exists():
        return False
    os.link(path, kept)
    return True


def _move(source: Path, target: Path) -> None:
    """Bring the file to the database's disk, whole, durable, and private."""
    target.unlink(missing_ok=True)
    try:
        source.rename(target)
    except OSError:
        target.write_bytes(b"")
        with source.open("rb") as file, target.open("wb") as copy:
            while block := file.read(1024 * 1024):
                copy.write(block)
    target.chmod(0o640)
    sync(target)
