"""Keys of stored objects: `videos/<yyyy>/<mm>/<uuid4>`, always ours, never a client's file name.

# Note [Keys are a closed language]
A key is matched as a whole against one pattern before it reaches a disk or a bucket. The pattern has neither
dots nor free text, so `..`, NUL, an absolute path or a name that somebody typed cannot be a key, and no
backend needs a defense of its own. There is no extension: a key says where bytes are, the row what they are.
"""

import re
from datetime import datetime
from uuid import uuid4

from core.storage.base import InvalidKey

_KEY = re.compile(
    r"videos/[0-9]{4}/(?:0[1-9]|1[0-2])/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    re.ASCII,
)


def new_key(now: datetime) -> str:
    """Return a random key below the month of `now`: `videos/2025/03/7d3f…`."""
    return f"videos/{now:%Y}/{now:%m}/{uuid4()}"


def checked_key(storage_path: str) -> str:
    """Return `storage_path` when it is one of our keys, else raise InvalidKey."""
    if not is_key(storage_path):
        raise InvalidKey(storage_path)
    return storage_path


def is_key(storage_path: object) -> bool:
    """Return whether it is one of our keys."""
    return isinstance(storage_path, str) and _KEY.fullmatch(storage_path) is not None
