"""Waiting for what happens in other processes, which tell nothing."""

import time
from collections.abc import Callable


def until(is_so: Callable[[], object], seconds: float, *, otherwise: Callable[[], str] = str) -> None:
    """Look again and again until it is so; fail after that time with what `otherwise` says."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, otherwise() or "It did not come to be."
        time.sleep(0.02)
