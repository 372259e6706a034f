import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.worker import PractikaWorker, is_alive_here


class Command(BaseCommand):
    help = "Runs waiting tasks and the schedule until SIGTERM; start as many as there should be videos at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", action="store_true", help="end when no task waits any more")

        parser.add_argument("--alive", action="store_true", help="only say whether a worker of this machine is alive")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["alive"]:
            sys.exit(0 if is_alive_here() else 1)
        worker = PractikaWorker(batch=options["batch"])
        worker.configure_signals()
        worker.work()
