import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError

from core.models import ProcessingJob
from core.services.processing import retry_job
from core.services.queue_stats import failed_jobs, queue_stats


class Command(BaseCommand):
    help = (
        "Says how much processing waits, runs, and failed. "
        "Exit 0: fine; 1: failed jobs, or work and no worker; 2: no answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--failed", action="store_true", help="list the failed jobs as well")
        parser.add_argument("--retry-failed", action="store_true", help="queue the failed jobs again first")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["retry_failed"]:
                for job in failed_jobs():
                    retry_job(job=job)
            stats, failed = queue_stats(), failed_jobs() if options["failed"] else []
        except DatabaseError as error:
            self.stderr.write(f"The database does not answer: {error}")
            sys.exit(2)
        listed = [_row(job) for job in failed]
        if options["json"]:
            self.stdout.write(json.dumps({**stats.to_json(), **({"failed_jobs": listed} if options["failed"] else {})}))
        else:
            for name, value in stats.to_json().items():
                self.stdout.write(f"{name:<14} {value}")
            for row in listed:
                self.stdout.write("  ".join(row.values()))
        sys.exit(1 if stats.failed or stats.is_stuck else 0)


def _row(job: ProcessingJob) -> dict[str, str]:
    return {"job": str(job.pk), "kind": job.kind, "video": str(job.video_id), "code": job.error_code}
