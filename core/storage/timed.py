"""Counting what a storage is asked, how that ends, and how long it takes."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from core.storage.base import ObjectNotFound, StorageError, StorageFull, StorageUnavailable
from core.telemetry.catalog import STORAGE_SECONDS
from core.telemetry.series import Outcome

Method = TypeVar("Method", bound=Callable[..., Any])
#: The first that fits; an error of another kind is not the storage's (a sender who went away, most often).
WORDS = (
    (StorageFull, "full"),
    (StorageUnavailable, "unavailable"),
    (ObjectNotFound, "absent"),
    (StorageError, "refused"),
)


def timed(method: Method) -> Method:
    """Return the method of a storage with each call counted under its name; the bytes of `open` come later."""

    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        outcome = Outcome()
        with STORAGE_SECONDS.timing(outcome, method.__name__):
            try:
                return method(*arguments, **named)
            except Exception as error:
                outcome.word = next((word for kind, word in WORDS if isinstance(error, kind)), "other")
                raise

    return call  # type: ignore[return-value]
