"""How the commands of the backup family end: exit 0 fine, 1 a problem was found, 2 nothing could be said."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error as DatabaseError

from core.backup.places import PlaceUnavailable
from core.backup.sealed import Damaged
from core.services.backup_engines import BackupUnavailable, DatabaseDamaged, DatabaseInUse
from core.services.backup_repository import NoBackup
from core.services.backup_restore import LiveData, NotVerified
from core.storage.base import StorageUnavailable

FINE, PROBLEM, UNKNOWN = 0, 1, 2

_PROBLEMS = (Damaged, DatabaseDamaged, LiveData, NotVerified, NoBackup)
_UNKNOWN = (BackupUnavailable, DatabaseInUse, PlaceUnavailable, StorageUnavailable)


@contextmanager
def exits(*, as_json: bool) -> Iterator[None]:
    """End the process with 1 or 2 and the sentence of the error, as JSON when that was asked for."""
    try:
        yield
    except _PROBLEMS as error:
        _end(PROBLEM, error.sentence, as_json=as_json)
    except _UNKNOWN as error:
        _end(UNKNOWN, error.sentence, as_json=as_json)
    except DatabaseError as error:
        _end(UNKNOWN, f"The database does not answer: {error}".strip(), as_json=as_json)
    except OSError as error:
        _end(UNKNOWN, f"{error.strerror or error}: {error.filename or 'a temporary file'}.", as_json=as_json)


def _end(code: int, sentence: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"problem": sentence}) + "\n")
    else:
        sys.stderr.write(sentence + "\n")
    sys.exit(code)


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return lines with a heading, the columns aligned; nothing for no rows."""
    if not rows:
        return []
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def size_text(size_bytes: int) -> str:
    """Return bytes as people read them: "1.4 GB", powers of a thousand."""
    size, unit = float(size_bytes), 0
    units = ("bytes", "kB", "MB", "GB", "TB")
    while size >= 1000 and unit < len(units) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {units[unit]}" if unit else f"{size_bytes} bytes"
