"""The cache in the database, with its calls counted: log-in limits live in it."""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import Error as DatabaseError

from core.telemetry.catalog import CACHE_CALLS

NAME = "database"


class CountedDatabaseCache(DatabaseCache):
    """Django's, counting what it is asked and whether that was there."""

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        """Return what is kept of the keys; each counts as a hit or a miss."""
        try:
            found: dict[Any, Any] = super().get_many(keys, version)
        except DatabaseError:
            CACHE_CALLS.add(NAME, "get", "error")
            raise
        CACHE_CALLS.add(NAME, "get", "hit", amount=len(found))
        CACHE_CALLS.add(NAME, "get", "miss", amount=len(set(keys)) - len(found))
        return found

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        """Keep a value; Django's own set, add, and touch all end here, and count under these names."""
        try:
            kept: bool = super()._base_set(mode, key, value, timeout)  # type: ignore[misc]
        except DatabaseError:
            CACHE_CALLS.add(NAME, mode, "error")
            raise
        CACHE_CALLS.add(NAME, mode, "ok" if kept else "refused")
        return kept
