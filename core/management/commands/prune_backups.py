import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from core.services.backup_report import FINE, PROBLEM, exits, size_text
from core.services.backup_repository import backup_place
from core.services.backup_retention import prune_backups


class Command(BaseCommand):
    help = (
        "Keeps the verified backups of 7 days, 5 weeks and 12 months, and removes the others. "
        "Exit 0: fine; 1: nothing verified, or a damaged manifest; 2: could not be done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--in", dest="place", default="", help="as of backup --to")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with exits(as_json=options["json"]):
            pruned = prune_backups(place=backup_place(options["place"]), dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(pruned)))
        else:
            verb = "Would remove" if options["dry_run"] else "Removed"
            objects = f"{pruned.objects} objects of {size_text(pruned.object_bytes)}"
            self.stdout.write(f"{verb} {len(pruned.removed)} backups and {objects}; {len(pruned.kept)} backups stay.")
            for sentence in pruned.problems:
                self.stderr.write(sentence)
        sys.exit(PROBLEM if pruned.problems else FINE)
