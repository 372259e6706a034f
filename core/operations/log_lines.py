"""Reading log files of any size: one JSON object at a time, never more than a line in memory."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

LINE_BYTES = 1024 * 1024  # ours are shorter than 64 KiB; what is longer is not a line of ours


def log_lines(file: BinaryIO) -> Iterator[dict[str, Any] | None]:
    """Yield the object of each line, None for a line that holds none; blank lines are skipped."""
    while line := file.readline(LINE_BYTES):
        if len(line) == LINE_BYTES and not line.endswith(b"\n"):
            _skip_rest(file)
            yield None
        elif line.strip():
            yield _object(line)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _skip_rest(file: BinaryIO) -> None:
    while (part := file.readline(LINE_BYTES)) and not part.endswith(b"\n"):
        pass
