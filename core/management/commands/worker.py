import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.services.one_folder import MOVE_ON, AnotherFolder
from core.storage.base import StorageUnavailable
from core.worker import PractikaWorker, is_alive_here


class Command(BaseCommand):
    help = "Runs waiting tasks and the schedule until SIGTERM; start as many as there should be videos at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", action="store_true", help="end when no task waits any more")

        parser.add_argument("--alive", action="store_true", help="only say whether a worker of this machine is alive")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["alive"]:
            sys.exit(0 if is_alive_here() else 1)
        try:
            worker = PractikaWorker(batch=options["batch"])
            worker.configure_signals()
            worker.work()
        except AnotherFolder as error:
            raise CommandError(f"Not started: {error}. {MOVE_ON}") from error
        except StorageUnavailable as error:
            raise CommandError(error.sentence) from error
