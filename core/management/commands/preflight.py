import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.operations.findings import exit_code
from core.operations.preflight import preflight
from core.operations.tables import finding_lines


class Command(BaseCommand):
    help = "Says whether the site could start here. Exit 0: it could; 1: something is wrong; 2: no answer in time."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--timeout", type=float, default=20.0, metavar="S", help="seconds for all checks (20)")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = preflight(timeout_s=options["timeout"])
        code = exit_code(findings)
        if options["json"]:
            self.stdout.write(json.dumps({"exit_code": code, "checks": [found.to_json() for found in findings]}))
        else:
            for line in finding_lines(findings):
                self.stdout.write(line)
        sys.exit(code)
