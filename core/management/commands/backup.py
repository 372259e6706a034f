import json
import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.services.backup import make_backup
from core.services.backup_drill import verify_backup
from core.services.backup_report import FINE, PROBLEM, exits, size_text, table
from core.services.backup_repository import backup_place, read_backup, read_backups


class Command(BaseCommand):
    help = "Backs up database and media while the site runs. Exit 0: fine; 1: something is missing; 2: no backup."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", default="", help="a folder or s3://bucket/prefix; default: DJANGO_BACKUP_ROOT")
        parser.add_argument(
            "--verify", action="store_true", help="run the restore drill as well, as every night should"
        )
        parser.add_argument("--list", action="store_true", help="only list the backups")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with exits(as_json=options["json"]):
            sys.exit(self._list(options) if options["list"] else self._make(options))

    def _make(self, options: dict[str, Any]) -> int:
        place = backup_place(options["to"])
        made = make_backup(place=place, now=timezone.now(), token=secrets.token_hex(3))
        drill = verify_backup(place=place, backup_id=made.id, now=timezone.now()) if options["verify"] else None
        problems = [f"{gap.storage_path}: {gap.reason}" for gap in made.gaps] + (drill.problems if drill else [])
        if options["json"]:
            said = read_backup(place, made.id).to_json() | {"place": place.address, "problems": problems}
            self.stdout.write(json.dumps(said))
        else:
            self.stdout.write(
                f"{made.id}: {sum(made.contents.tables.values())} rows, {len(made.files)} files, "
                f"{size_text(made.size_bytes)} in {place.address}"
                f"{', verified' if drill and drill.passed else ', not verified yet'}."
            )
            self.stderr.write("\n".join(problems)) if problems else None
        return PROBLEM if problems else FINE

    def _list(self, options: dict[str, Any]) -> int:
        backups, problems = read_backups(backup_place(options["to"]))
        rows = [backup.to_json() for backup in backups]
        if options["json"]:
            self.stdout.write(json.dumps({"backups": rows, "problems": problems}))
        else:
            for line in table([{**row, "gaps": len(row["gaps"])} for row in rows]):
                self.stdout.write(line)
            for sentence in problems:
                self.stderr.write(sentence)
        return PROBLEM if problems or not any(row["verified_at"] for row in rows) else FINE
