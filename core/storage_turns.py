"""How many threads of a process ask the storage at a time.

# Note [The storage may be silent, pages may not]
A bucket that does not answer holds its caller for seconds (core/storage/s3_client.py). So half of a worker's threads
never ask it, and together with the forms whose video is stored there (Note [Room for the others]) never the last two:
pages, which need no bytes of a video, go on while the others wait. Whoever comes when all turns are taken waits a
moment, which is longer than a healthy storage needs, and then hears 503 and when to come again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import BoundedSemaphore

from django.conf import settings

from core.long_bodies import PLACES
from core.storage.base import StorageBusy

MOST = 4  # of the 8 threads in gunicorn.conf.py
MOMENT_S = 0.25

_turns = BoundedSemaphore(MOST)


@contextmanager
def storage_turn() -> Iterator[None]:
    """Hold a turn while the storage may be asked; raises StorageBusy."""
    with _taken(_turns), _taken(PLACES) if settings.USE_S3 else nullcontext():
        yield


@contextmanager
def _taken(places: BoundedSemaphore) -> Iterator[None]:
    if not places.acquire(timeout=MOMENT_S):
        raise StorageBusy("The storage answers slowly. Nothing was lost; try again in a few seconds.")
    try:
        yield
    finally:
        places.release()
