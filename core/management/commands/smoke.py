import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.operations.findings import COULD_NOT_TELL, exit_code
from core.operations.smoke import smoke
from core.operations.tables import finding_lines
from core.operations.web import BadAddress


class Command(BaseCommand):
    help = "Checks a running site over HTTP, as a stranger. Exit 0: fine; 1: something is wrong; 2: no answer."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="the site's address, e.g. https://practika.example.org")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--timeout", type=float, default=10.0, metavar="S", help="seconds for each request (10)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            findings = smoke(options["url"], timeout_s=options["timeout"])
        except BadAddress as error:
            self.stderr.write(str(error))
            sys.exit(COULD_NOT_TELL)
        code = exit_code(findings)
        if options["json"]:
            checks = [finding.to_json() for finding in findings]
            self.stdout.write(json.dumps({"url": options["url"], "exit_code": code, "checks": checks}))
        else:
            for line in finding_lines(findings):
                self.stdout.write(line)
        sys.exit(code)
