"""gunicorn's threaded worker, which stops as the notes of core/draining.py say."""

import math
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from gunicorn.workers.gthread import ThreadWorker

from core.draining import ignore_new_connections, is_draining

# What a connection that has begun needs to be there, over any distance that a load balancer is away.
HANDSHAKE_SECONDS = 0.3


class DrainingWorker(ThreadWorker):
    """Serves on for DRAIN_SECONDS when the whole server was told to stop."""

    step_at = math.inf  # monotonic: when a worker that stops goes on with its steps
    steps: list[Callable[[], None]]

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop at SIGTERM: with the whole server step by step, else as gthread, because another worker serves."""
        if not is_draining() or self.step_at < math.inf:
            super().handle_exit(sig, frame)
            return
        self.steps = [self._ignore_new_connections, self._end_loop]
        self.step_at = time.monotonic() + settings.DRAIN_SECONDS
        self.max_keepalived = 0  # so every answer from now on ends its connection
        self.method_queue.defer(lambda: None)  # wakes the loop

    def notify(self) -> None:
        """Tell the master that the loop lives, and go on with stopping when it is time."""
        super().notify()
        if self.alive and time.monotonic() >= self.step_at:
            self.steps.pop(0)()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """As gthread, but no longer than to the next step of stopping."""
        if self.alive:
            timeout = max(0.0, min(timeout, self.step_at - time.monotonic()))
        super().wait_for_and_dispatch_events(timeout)

    def _ignore_new_connections(self) -> None:
        for listener in self.sockets:
            ignore_new_connections(listener)
        self.step_at = time.monotonic() + HANDSHAKE_SECONDS

    def _end_loop(self) -> None:
        self.alive = False
