from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from practika_project.demo import PASSWORD, seed_demo

LOG_INS = (
    ("ada@example.org", "Ada teaches: publish, review, comment"),
    ("ben@example.org", "Ben learns: practise, send an attempt"),
    ("cyd@example.org", "Cyd is in no class and sees nothing of it"),
    ("admin@example.org", "staff: /admin/"),
)


class Command(BaseCommand):
    help = "Makes demo data with real small videos, once: an empty site only, never in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--learners", type=int, default=1, help="how many learners the class has (1 to 200)")
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there are accounts already")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo accounts have a known password, so they are never made in production.")
        if not 1 <= options["learners"] <= 200:
            raise CommandError("--learners takes a number from 1 to 200.")
        if User.objects.exists():
            if not options["if_empty"]:
                raise CommandError("There are accounts already. Demo data is for an empty site.")
        else:
            self.stdout.write("Drawing the demo's videos …")
            seed_demo(learners=options["learners"])
        if User.objects.filter(email="ada@example.org").exists():
            self._print_log_ins()

    def _print_log_ins(self) -> None:
        self.stdout.write(f"Log in with the password {PASSWORD} as")
        for email, what in LOG_INS:
            self.stdout.write(f"  {email:<20} {what}")
