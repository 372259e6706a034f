import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from core.services.backup_report import FINE, PROBLEM, exits, size_text, table
from core.services.media_move import LOCAL, S3, Moved, move_media

TOLD_EVERY = 100


class Command(BaseCommand):
    help = (
        "Copies every stored video, poster, and rendition to the other storage while the site is up, and reads each "
        "back; run it again after anything. Exit 0: all there; 1: something is not (or, dry, is still to copy); 2: no "
        "answer, and nothing removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", choices=[S3, LOCAL], required=True, help="the storage everything is to be in")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be copied")
        parser.add_argument(
            "--remove", action="store_true", help="remove each original whose copy is whole, after the switch"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with exits(as_json=options["json"]):
            moved = move_media(to=options["to"], dry_run=options["dry_run"], remove=options["remove"], tell=self._tell)
        if options["json"]:
            self.stdout.write(json.dumps(moved.to_json()))
        else:
            for line in table([asdict(problem) for problem in moved.problems]):
                self.stdout.write(line)
            self.stdout.write(_said(moved, dry_run=options["dry_run"]))
        sys.exit(FINE if moved.is_complete else PROBLEM)

    def _tell(self, done: int, of: int) -> None:
        if done % TOLD_EVERY == 0:
            self.stderr.write(f"{done} of {of} …")


def _said(moved: Moved, *, dry_run: bool) -> str:
    begun = (
        f"{moved.objects} objects ({moved.unnamed} more that no row names) to {moved.to}: {moved.already} were there, "
    )
    if dry_run:
        return begun + f"{moved.to_copy} of {size_text(moved.to_copy_bytes)} to copy, {len(moved.problems)} problems."
    done = f"{moved.copied} of {size_text(moved.copied_bytes)} copied and read back, {moved.removed} originals removed"
    return begun + f"{done}, {len(moved.problems)} problems."
