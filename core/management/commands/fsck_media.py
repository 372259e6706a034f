import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from core.services.backup_fsck import check_media
from core.services.backup_report import FINE, PROBLEM, exits, table


class Command(BaseCommand):
    help = (
        "Compares rows and stored objects; changes nothing. "
        "Exit 0: they agree; 1: they do not; 2: database or storage does not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--checksums", action="store_true", help="read every object and compare its SHA-256 too")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with exits(as_json=options["json"]):
            checked = check_media(checksums=options["checksums"])
        if options["json"]:
            self.stdout.write(json.dumps(checked.to_json()))
        else:
            for line in table([asdict(finding) for finding in checked.findings]):
                self.stdout.write(line)
            self.stdout.write(f"{checked.rows} rows, {checked.objects} objects, {len(checked.findings)} findings.")
        sys.exit(PROBLEM if checked.findings else FINE)
