"""Limits counted in the memory of this process, for what is asked too often to cost a write each.

# Note [Each process counts for itself]
A limit in the database (core/services/throttling.py) is one for all servers, and costs a write each time: right for a
password, wrong for a question that costs less than that. Here each process allows the whole amount, so a site of four
processes allows at most four times as much. The limits are generous: they end a loop that went wild, and tell an
honest one when to come again. What was counted ends with the process, and whoever asked longest ago is forgotten first.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from core.limits import Limit
from core.services.throttling import Throttled

MOST_KEYS = 10_000  # about 2 MiB


class ProcessLimits:
    """How much of its limit each key has used, by the rule of `core.services.throttling`, Note [One number is enough].

    `clock` gives seconds that never go back.
    """

    def __init__(self, *, most_keys: int = MOST_KEYS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_keys, self._clock = most_keys, clock
        self._used_until_ms: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def use(self, limits: Mapping[str, Limit]) -> None:
        """Use all these limits (key → limit) once; raises Throttled when one is used up, which uses none."""
        now_ms = int(self._clock() * 1000)
        with self._lock:
            waits_ms = [self._over_ms(key, limit, now_ms) for key, limit in limits.items()]
            if max(waits_ms) > 0:
                raise Throttled(math.ceil(max(waits_ms) / 1000))
            for key, limit in limits.items():
                self._used_until_ms[key] = max(now_ms, self._used_until_ms[key]) + limit.interval_ms
            while len(self._used_until_ms) > self._most_keys:
                self._used_until_ms.popitem(last=False)

    def _over_ms(self, key: str, limit: Limit, now_ms: int) -> int:
        """Return for how long the limit is used up, 0 or less when it is not."""
        used_until_ms = self._used_until_ms.setdefault(key, now_ms)
        self._used_until_ms.move_to_end(key)
        return used_until_ms - (now_ms + limit.period_ms - limit.interval_ms)


HERE = ProcessLimits()
