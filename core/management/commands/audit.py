import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.utils import timezone

from core.operations.audit_trail import BadMoment, actor_text, events, read_moment, to_json
from core.operations.findings import COULD_NOT_TELL, FINE
from core.operations.tables import table


class Command(BaseCommand):
    help = "Lists who did what to which object, the newest first. Exit 0: listed; 2: no answer, or no such moment."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--actor", default="", help="e-mail address, name, or key of a person")
        parser.add_argument("--action", default="", help="exercise.published, or exercise for the whole family")
        parser.add_argument("--object", default="", help="a key, a kind (exercise), or kind:key")
        parser.add_argument("--since", default="", help="30m, 6h, 7d, 2w ago, or a date or time (UTC)")
        parser.add_argument("--limit", type=int, default=50, metavar="N", help="how many (50)")
        parser.add_argument("--json", action="store_true", help="print one JSON array")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            since = read_moment(options["since"], now=timezone.now()) if options["since"] else None
            found = events(
                actor=options["actor"],
                action=options["action"],
                subject=options["object"],
                since=since,
                limit=max(1, options["limit"]),
            )
        except (BadMoment, DatabaseError) as error:
            self.stderr.write(str(error))
            sys.exit(COULD_NOT_TELL)
        if options["json"]:
            self.stdout.write(json.dumps([to_json(event) for event in found]))
        else:
            rows = (
                [f"{event.at:%Y-%m-%d %H:%M:%S}", event.action, actor_text(event) or "-", event.address or "-",
                 f"{event.object_type}:{event.object_id}"]
                for event in found
            )  # fmt: skip
            for line in table(rows):
                self.stdout.write(line)
            if not found:
                self.stderr.write("No event fits all of that.")
        sys.exit(FINE)
