import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.services.backup_drill import verify_backup
from core.services.backup_report import FINE, PROBLEM, exits, size_text
from core.services.backup_repository import backup_place, chosen_id


class Command(BaseCommand):
    help = (
        "Restores a backup beside the site and checks everything; only then it counts. "
        "Exit 0: it does; 1: it is damaged; 2: could not be tried."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", nargs="?", default="latest", help="its id; default: the newest")
        parser.add_argument("--from", dest="place", default="", help="as of backup --to")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with exits(as_json=options["json"]):
            place = backup_place(options["place"])
            drill = verify_backup(place=place, backup_id=chosen_id(place, options["backup"]), now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps({**drill.to_json(), "passed": drill.passed}))
        elif drill.passed:
            self.stdout.write(
                f"{drill.backup_id} is verified: {drill.rows} rows, {drill.files} files "
                f"of {size_text(drill.size_bytes)}, {drill.videos_decoded} videos decoded, log-in page served."
            )
        else:
            self.stderr.write("\n".join([f"{drill.backup_id} is refused:", *drill.problems]))
        sys.exit(FINE if drill.passed else PROBLEM)
