import json
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core.operations.findings import COULD_NOT_TELL, FINE, exit_code
from core.operations.monitor import Round, run_round, ticks
from core.operations.monitor_config import BadConfig, MonitorConfig, read_config
from core.operations.monitor_state import StateUnusable
from core.operations.tables import finding_lines, plain


class Command(BaseCommand):
    help = (
        "Asks addresses again and again and tells people, once, what went down and what came back. "
        "Exit 0: told to stop, or (--once) all up; 1: something fails; 2: bad configuration, or nobody could be told."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--config", required=True, metavar="FILE", help="probes and alerts, TOML or JSON")
        parser.add_argument("--once", action="store_true", help="one round, for cron")
        parser.add_argument("--json", action="store_true", help="print one JSON object a round")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            if not options["once"]:
                signal.signal(number, lambda *_: stop.set())
        try:
            config = read_config(Path(options["config"]))
            if options["once"]:
                sys.exit(self._round(config, as_json=options["json"]))
            for _ in ticks(config.every_s, wait=stop.wait):
                self._round(config, as_json=options["json"])
        except (BadConfig, StateUnusable) as error:
            self.stderr.write(str(error))
            sys.exit(COULD_NOT_TELL)
        sys.exit(FINE)

    def _round(self, config: MonitorConfig, *, as_json: bool) -> int:
        now = timezone.now()
        done = run_round(config, now=now)
        for line in _json_lines(done, now) if as_json else _text_lines(done, now):
            self.stdout.write(line)
        self.stdout.flush()
        return COULD_NOT_TELL if done.undelivered else exit_code(done.findings)


def _text_lines(done: Round, now: datetime) -> list[str]:
    return [
        f"{now:%Y-%m-%d %H:%M:%S} UTC",
        *finding_lines(done.findings),
        *(f"told by {way}: {plain(text)}" for way, text in done.told),
        *(f"NOT told by {way}: {plain(reason)}" for way, reason in done.undelivered),
    ]


def _json_lines(done: Round, now: datetime) -> list[str]:
    told = [{"way": way, "text": text} for way, text in done.told]
    undelivered = [{"way": way, "reason": reason} for way, reason in done.undelivered]
    findings = [finding.to_json() for finding in done.findings]
    return [json.dumps({"at": now.isoformat(), "probes": findings, "told": told, "undelivered": undelivered})]
