import json
import secrets
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.services.backup_report import exits
from core.services.backup_repository import backup_place, chosen_id
from core.services.backup_restore import Restored, restore_backup, restore_media


class Command(BaseCommand):
    help = (
        "Makes a backup the site's database and media; the site must be stopped, unless only --media is asked for. "
        "Exit 0: done; 1: refused; 2: could not be tried. Nothing is changed unless it is 0."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", help="its id, or: latest")
        parser.add_argument("--from", dest="place", default="", help="as of backup --to")
        replacing = parser.add_mutually_exclusive_group()
        replacing.add_argument(
            "--replace", action="store_true", help="replace a site in use, after a verified copy of it"
        )
        replacing.add_argument(
            "--i-have-a-copy", action="store_true", help="replace a site in use that cannot be copied any more"
        )
        replacing.add_argument(
            "--media", action="store_true", help="only bring back lost and damaged objects of rows; the site may run"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with exits(as_json=options["json"]):
            done = self._restore(options)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
            return
        self.stdout.write(
            f"Restored {done.backup_id}: {done.objects} objects, {done.objects_there_already} were there."
        )
        if done.copy_id:
            self.stdout.write(f"The site before: backup {done.copy_id}, verified.")
        if done.kept:
            self.stdout.write(f"The database before: {done.kept}.")
        if not options["media"]:
            self.stdout.write("Now: python manage.py migrate, start the site, and run the smoke checks.")

    def _restore(self, options: dict[str, Any]) -> Restored:
        place = backup_place(options["place"])
        backup_id = chosen_id(place, options["backup"])
        if options["media"]:
            return restore_media(place=place, backup_id=backup_id, now=timezone.now())
        return restore_backup(
            place=place,
            backup_id=backup_id,
            replace=options["replace"],
            has_copy=options["i_have_a_copy"],
            now=timezone.now(),
            token=secrets.token_hex(3),
        )
