import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core.operations.findings import COULD_NOT_TELL, FINE, PROBLEM
from core.operations.maintenance import Maintenance, StateUnknown, maintenance_now, turn_off, turn_on
from core.operations.tables import plain


class Command(BaseCommand):
    help = (
        "Closes the site to visitors (pages answer 503) and opens it again; staff pass, workers pause. "
        "Exit 0: done, or off; 1: status is on; 2: could not be read or changed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("on", "off", "status"))
        parser.add_argument("--message", default="", help="the sentence that visitors read")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            mode = _change(options["what"], options["message"])
        except StateUnknown as error:
            self.stderr.write(str(error))
            sys.exit(COULD_NOT_TELL)
        if options["json"]:
            since = {"since": mode.since.isoformat(), "message": mode.message} if mode else {}
            self.stdout.write(json.dumps({"maintenance": "on" if mode else "off", **since}))
        else:
            self.stdout.write(f"on since {mode.since:%Y-%m-%d %H:%M} UTC  {plain(mode.message)}" if mode else "off")
        sys.exit(PROBLEM if mode and options["what"] == "status" else FINE)


def _change(what: str, message: str) -> Maintenance | None:
    if what == "on":
        return turn_on(message=message, now=timezone.now())
    if what == "off":
        turn_off(now=timezone.now())
        return None
    return maintenance_now()
