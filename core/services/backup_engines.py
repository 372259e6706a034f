"""The two databases, behind one protocol: how each is copied, tried out, and replaced."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.db import connection

from core.backup.manifest import POSTGRESQL, SQLITE, Contents
from core.services.backup_contents import NamedObject


class BackupUnavailable(Exception):
    """Nothing could be said or done; `sentence` says why and what to do."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


class DatabaseDamaged(Exception):
    """A copy of a database does not hold together; `sentence` says how."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


class DatabaseInUse(Exception):
    """The database cannot be replaced while the site runs."""

    sentence = "The database is in use: stop the site and its workers first. Nothing was changed."


@dataclass(frozen=True)
class DatabaseCopy:
    """What a copied file holds, all of one moment."""

    engine: str
    engine_version: str
    contents: Contents
    objects: list[NamedObject]


@dataclass(frozen=True)
class Scratch:
    """A restored database that nobody uses: what it holds, and the variables that make a process use it."""

    contents: Contents
    objects: list[NamedObject]
    variables: dict[str, str]


class Engine(Protocol):
    """One kind of database. Every method may raise BackupUnavailable."""

    def copy(self, target: Path) -> DatabaseCopy:
        """Write a consistent copy of the site's database into the new file `target`, while the site runs."""

    def scratch(self, source: Path, folder: Path) -> AbstractContextManager[Scratch]:
        """Restore a copy into a database of its own, gone afterwards; raises DatabaseDamaged."""

    def has_people(self) -> bool:
        """Return whether the site's database has accounts; False when there is no database."""

    def replace(self, source: Path, *, expected: Contents, old_name: str) -> str:
        """Make a copy the site's database, in one step; return where the old one is kept ("": there was none).

        Raises DatabaseInUse and DatabaseDamaged; nothing is changed then.
        """


def engine_named(name: str) -> Engine:
    """Return the engine of a manifest."""
    if name == SQLITE:
        from core.services.backup_sqlite import SQLiteEngine

        return SQLiteEngine(connection.settings_dict)
    if site_engine_name() != POSTGRESQL:
        raise BackupUnavailable("This is a backup of PostgreSQL: set DATABASE_URL to a PostgreSQL server.")
    from core.services.backup_postgres import PostgresEngine

    return PostgresEngine(connection.settings_dict)


def site_engine_name() -> str:
    """Return the name of the engine that the site uses."""
    return SQLITE if connection.vendor == "sqlite" else POSTGRESQL
