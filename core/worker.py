"""The worker process: runs tasks one at a time, keeps the schedule beside them, and stops when told to.

# Note [Two threads]
The main thread runs tasks, so a signal reaches it and a task may take hours. A second one shows every few
seconds that this worker lives and runs what the schedule says, so that lost jobs come back even while every
worker is busy. How much runs at once is bounded by how many workers there are: one video each.
"""

import logging
import os
import secrets
import socket
import threading
from types import FrameType

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker as TaskWorker

from core.models import Worker
from core.operations.maintenance import maintenance
from core.services.one_folder import AnotherFolder, check_one_folder, forget_sign, signed_name
from core.services.processing import reap_jobs
from core.services.queue_stats import SEEN_WITHIN
from core.services.rendering import STOPPING
from core.services.schedule import run_due
from core.telemetry.gathering import begin_counting

logger = logging.getLogger(__name__)

POLL_S = 0.2  # somebody waits for the check of a video: it should play within a second
SCHEDULE_POLL_S = 5.0
AFTER_DATABASE_ERROR_S = 5.0


class PractikaWorker(TaskWorker):
    """Takes tasks from the database until SIGTERM or SIGINT; the job at hand then has GRACE_S to end."""

    def __init__(self, *, batch: bool = False) -> None:
        super().__init__(
            queue_names=["default"],
            excluded_queue_names=[],
            interval=POLL_S,
            batch=batch,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=signed_name(f"{_host()}:{os.getpid()}:{secrets.token_hex(4)}"),
        )
        self.stopped = threading.Event()

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Begin the grace period; without a task at hand this ends the process at once."""
        STOPPING.begin()
        super().shutdown(signum, frame)

    def work(self) -> None:
        """Run tasks and the schedule until told to stop (in batch mode: until no task is left).

        Raises AnotherFolder at once when others work on another media folder (core.services.one_folder).
        """
        begin_counting(settings.METRICS_FOLDER)
        self._show_life()
        try:
            check_one_folder()
        except AnotherFolder:
            self._leave()
            raise
        if self.batch and self.queue_names:
            reap_jobs()  # what waits includes lost jobs: the schedule beside might bring them back too late
        logger.info("Worker ready", extra={"worker": self.worker_id})
        beside = threading.Thread(target=self._keep_schedule, name="schedule", daemon=True)
        beside.start()
        try:
            while self.running:
                try:
                    self.run()
                except DatabaseError:
                    logger.exception("Worker waits for the database")
                    close_old_connections()
                    self.stopped.wait(AFTER_DATABASE_ERROR_S)
                if self.batch:
                    return
        finally:
            self.stopped.set()
            beside.join(SCHEDULE_POLL_S)
            self._leave()

    def _leave(self) -> None:
        try:
            Worker.objects.filter(name=self.worker_id).delete()
        except DatabaseError:  # it grows old by itself; a worker that did its work has not failed
            logger.warning("Worker left without saying so", exc_info=True)
        else:
            forget_sign(self.worker_id)  # a fresh row without its sign would be taken for another folder's

    def _keep_schedule(self) -> None:
        while True:
            try:
                self._show_life()
                if self.queue_names:
                    run_due()
            except DatabaseError:
                logger.exception("Schedule waits for the database")
            finally:
                connections.close_all()
            if self.stopped.wait(SCHEDULE_POLL_S):
                return

    def _show_life(self) -> None:
        self.queue_names = [] if maintenance() else ["default"]  # what is closed for a while also prepares nothing
        seen = {"seen_at": Now()}
        Worker.objects.update_or_create(
            name=self.worker_id, defaults=seen, create_defaults={**seen, "started_at": Now()}
        )


def is_alive_here() -> bool:
    """Return whether a worker of this machine (or container) was seen lately."""
    lately = timezone.now() - SEEN_WITHIN
    return Worker.objects.filter(name__startswith=f"{_host()}:", seen_at__gt=lately).exists()


def _host() -> str:
    return socket.gethostname()[:80]
