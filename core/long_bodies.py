"""How many long bodies a process receives at a time.

# Note [Room for the others]
A body that comes slowly holds its thread from the first byte to the last, and a form with a video until that is checked
and stored. So two of a worker's threads never have one: pages, health, and the calls of uploads go on while every other
thread waits for a slow line or a slow storage. Where the storage is a bucket, those calls need places too, to ask it
(core/storage_turns.py), so that two of the places are never a form's. Whoever comes when all places are taken hears 503
at once, before a byte of the video was read, and when to come again. Their connection ends with the answer: the server
would wait for the rest of the body in one of the two threads otherwise.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings

from core.body import leave_unread
from core.storage.base import StorageBusy
from core.telemetry.catalog import BODIES_REFUSED

MOST = 6  # of the 8 threads in gunicorn.conf.py
MOST_FOR_A_BUCKET = 4
LONG_BYTES = 64 * 1024  # fewer lie in the kernel's own buffer before anybody waits for them

PLACES = BoundedSemaphore(MOST)
_places_for_a_bucket = BoundedSemaphore(MOST_FOR_A_BUCKET)


class TooManyBodies(StorageBusy):
    """As many long bodies as may be are being received by this process; nothing of this one was read."""

    def __init__(self) -> None:
        super().__init__("Too many videos are being sent at this moment. Send it again in a few seconds.")


def long_body(length: int, environ: dict[str, Any]) -> AbstractContextManager[None]:
    """Hold a place while a body of `length` bytes is read (Note [Room for the others]); raises TooManyBodies."""
    return place(environ) if length > LONG_BYTES else nullcontext()


@contextmanager
def place(environ: dict[str, Any]) -> Iterator[None]:
    """Hold a place, whatever the length; raises TooManyBodies, and then the body of `environ` stays unread."""
    with ExitStack() as held:
        for places in (_places_for_a_bucket, PLACES) if settings.USE_S3 else (PLACES,):
            if not places.acquire(blocking=False):
                leave_unread(environ)
                BODIES_REFUSED.add()
                raise TooManyBodies
            held.callback(places.release)
        yield
