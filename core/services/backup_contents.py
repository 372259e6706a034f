"""What a database holds, asked in plain SQL: the same questions to SQLite, PostgreSQL, a live site, and a scratch copy.

The models are not used here: a copy is asked without being the site's database.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.backup.manifest import SQLITE, Contents

Ask = Callable[[str], list[tuple]]

_TABLES = {
    True: "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name",
    False: "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
}
_OBJECTS = """
    SELECT storage_path, size_bytes, checksum_sha256, state = 'ready' FROM core_videoasset
    WHERE storage_path <> ''
    UNION ALL
    SELECT made.storage_path, made.size_bytes, made.checksum_sha256, made.kind = 'web' AND video.state = 'ready'
    FROM core_rendition made JOIN core_videoasset video ON video.id = made.video_id
    ORDER BY 1
"""


@dataclass(frozen=True)
class NamedObject:
    """A stored object as its row tells it; `sha256` is "" while the row has none. `plays`: its frames must decode."""

    storage_path: str
    size_bytes: int
    sha256: str
    plays: bool


def contents_of(ask: Ask, *, engine: str) -> Contents:
    """Return rows by table and the applied migrations."""
    tables = [name for (name,) in ask(_TABLES[engine == SQLITE])]
    # The names come from the database's own catalog.
    counts = {name: ask(f'SELECT count(*) FROM "{name}"')[0][0] for name in tables}  # noqa: S608
    applied = ask("SELECT app, name FROM django_migrations ORDER BY app, name")
    return Contents(counts, sorted({f"{app}.{name}" for app, name in applied}))


def objects_in(ask: Ask) -> list[NamedObject]:
    """Return every object that rows of videos and renditions name, each once."""
    rows = (NamedObject(path, size, sha256 or "", bool(plays)) for path, size, sha256, plays in ask(_OBJECTS))
    return list({row.storage_path: row for row in rows}.values())


def has_people(ask: Ask, *, engine: str) -> bool:
    """Return whether somebody uses this database: it has an account."""
    tables = {name for (name,) in ask(_TABLES[engine == SQLITE])}
    return "accounts_user" in tables and bool(ask("SELECT 1 FROM accounts_user LIMIT 1"))
