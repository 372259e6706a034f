"""SQLite: the sizes of its files, pages that hold nothing, and whether somebody holds the write lock."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from django.db import connection

from core.operations.database_status import DatabaseStatus

BLOATED_SHARE = 0.25
BLOATED_FROM_BYTES = 64 * 1024 * 1024
LONG_WAL_BYTES = 256 * 1024 * 1024
LARGEST_TABLES = 5


def sqlite_status(*, quick_check: bool = False, lock_wait_s: float = 2.0) -> DatabaseStatus:
    """Return the status of the file; waits at most `lock_wait_s` for the write lock, and writes nothing."""
    status = DatabaseStatus("sqlite")
    page_size, pages, free = (_pragma(name) for name in ("page_size", "page_count", "freelist_count"))
    path = Path(str(connection.settings_dict["NAME"]))
    status.figures = {
        "file": path.name,
        "size_bytes": pages * page_size,
        "free_bytes": free * page_size,
        "wal_bytes": _size(path.with_name(f"{path.name}-wal")),
        "journal_mode": _pragma("journal_mode"),
        "write_lock": _write_lock(path, lock_wait_s),
    }
    if quick_check:
        status.figures["quick_check"] = _pragma("quick_check")
    status.listings = {"largest_tables": _largest_tables()}
    status.problems = [sentence for sentence, wrong in _judged(status.figures) if wrong]
    return status


def _judged(figures: dict[str, Any]) -> list[tuple[str, bool]]:
    free, size = figures["free_bytes"], figures["size_bytes"]
    return [
        (
            f"{free / max(size, 1):.0%} of the file is empty: VACUUM in a quiet hour.",
            free > BLOATED_FROM_BYTES and free > BLOATED_SHARE * size,
        ),
        (
            "The write-ahead log is long: a reader never ends, or PRAGMA wal_checkpoint(TRUNCATE) is due.",
            figures["wal_bytes"] > LONG_WAL_BYTES,
        ),
        ("Somebody holds the write lock: a shell or a copy that never ended?", figures["write_lock"] != "free"),
        ("The file is damaged: keep it, and restore a backup.", figures.get("quick_check", "ok") != "ok"),
    ]  # fmt: skip


def _pragma(name: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _write_lock(path: Path, wait_s: float) -> str:
    """Take the lock as a writer would, and let it go: a connection of its own, so that nothing of ours is touched."""
    if not path.exists():
        return "free"  # a database in memory has no other writers
    with contextlib.closing(sqlite3.connect(path, timeout=wait_s, isolation_level=None)) as writer:
        try:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return f"held for more than {wait_s:g} s"
    return "free"


def _largest_tables() -> list[dict[str, Any]]:
    """Return tables and indexes by size; none where SQLite was built without its dbstat table."""
    statement = "SELECT name, SUM(pgsize) AS size FROM dbstat GROUP BY name ORDER BY size DESC, name LIMIT %s"
    with contextlib.suppress(Exception), connection.cursor() as cursor:
        cursor.execute(statement, [LARGEST_TABLES])
        return [{"name": name, "size_bytes": size} for name, size in cursor.fetchall()]
    return []
