import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError

from core.operations.database_status import DatabaseStatus, database_status
from core.operations.findings import COULD_NOT_TELL, FINE, PROBLEM
from core.operations.tables import bytes_text, table


class Command(BaseCommand):
    help = (
        "Says how the database is: size, connections, locks, slow statements, bloat. "
        "Exit 0: fine; 1: something to look at; 2: no answer."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object, sizes in bytes")
        parser.add_argument("--quick-check", action="store_true", help="SQLite: read the whole file for damage")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            status = database_status(quick_check=options["quick_check"])
        except DatabaseError as error:
            self.stderr.write(f"The database does not answer: {error}")
            sys.exit(COULD_NOT_TELL)
        if options["json"]:
            self.stdout.write(json.dumps(status.to_json()))
        else:
            for line in _report(status):
                self.stdout.write(line)
        sys.exit(PROBLEM if status.problems else FINE)


def _report(status: DatabaseStatus) -> Iterator[str]:
    figures = [_shown(name, value) for name, value in status.figures.items()]
    yield from table([("database", status.vendor), *figures])
    for title, rows in status.listings.items():
        if rows:
            shown = [dict(_shown(name, value) for name, value in row.items()) for row in rows]
            yield from ("", title.replace("_", " "))
            yield from table([tuple(shown[0]), *(tuple(row.values()) for row in shown)])
    for problem in status.problems:
        yield f"→ {problem}"


def _shown(name: str, value: Any) -> tuple[str, Any]:
    if name.endswith("_bytes"):
        return name.removesuffix("_bytes"), bytes_text(value)
    return name, value
