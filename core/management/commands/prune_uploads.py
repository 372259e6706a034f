from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.services.pruning import prune_uploads


class Command(BaseCommand):
    help = "Removes abandoned uploads, videos nothing ever used, forgotten temporary files, and waiting objects."

    def handle(self, *args: Any, **options: Any) -> None:
        pruned = prune_uploads(now=timezone.now())
        self.stdout.write(
            f"Removed {pruned.uploads} abandoned uploads, {pruned.unused_videos} unused videos, "
            f"{pruned.incoming_files} temporary files, and {pruned.objects} objects; "
            f"{pruned.objects_left} objects could not be removed yet."
        )
        if pruned.objects_left:
            raise SystemExit(1)
