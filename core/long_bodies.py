"""How many long bodies a process receives at a time.

# Note [Room for the others]
A body that comes slowly holds its thread from the first byte to the last. So two of a worker's threads never receive
one: pages, health, and the calls of uploads go on while every other thread waits for a slow line. Whoever comes when
all places are taken hears 503 at once, before a byte was read, and when to come again. Their connection ends with
the answer: the server would wait for the rest of the body in one of the two threads otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from core.body import leave_unread
from core.storage.base import StorageBusy
from core.telemetry.catalog import BODIES_REFUSED

MOST = 6  # of the 8 threads in gunicorn.conf.py
LONG_BYTES = 64 * 1024  # fewer lie in the kernel's own buffer before anybody waits for them

_places = BoundedSemaphore(MOST)


class TooManyBodies(StorageBusy):
    """As many long bodies as may be are being received by this process; nothing of this one was read."""

    def __init__(self) -> None:
        super().__init__("Too many videos are being sent at this moment. Send it again in a few seconds.")


@contextmanager
def long_body(length: int, environ: dict[str, Any]) -> Iterator[None]:
    """Hold a place while a body of `length` bytes is read (Note [Room for the others]); raises TooManyBodies."""
    is_long = length > LONG_BYTES
    if is_long and not _places.acquire(blocking=False):
        leave_unread(environ)
        BODIES_REFUSED.add()
        raise TooManyBodies
    try:
        yield
    finally:
        if is_long:
            _places.release()
