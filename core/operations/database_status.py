"""How the database is: size, connections, locks, slow statements, bloat; one shape for both kinds."""

from dataclasses import dataclass, field
from typing import Any

from django.db import connection


@dataclass
class DatabaseStatus:
    """Figures (name → number or word), listings (title → rows), and what somebody should look at."""

    vendor: str
    figures: dict[str, Any] = field(default_factory=dict)
    listings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return everything by name."""
        return {"vendor": self.vendor, **self.figures, **self.listings, "problems": self.problems}


def database_status(*, quick_check: bool = False) -> DatabaseStatus:
    """Return the status of the site's database; raises DatabaseError when it does not answer.

    `quick_check` also reads the whole of a SQLite file for damage, which takes a while.
    """
    if connection.vendor == "sqlite":
        from core.operations.sqlite_status import sqlite_status

        return sqlite_status(quick_check=quick_check)
    from core.operations.postgres_status import postgres_status

    return postgres_status()
