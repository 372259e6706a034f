"""A second cache, in Redis, for what may be lost; without REDIS_URL it remembers nothing.

# Note [What may be in it]
Only what somebody else knows as well, so that Redis may be down, hung, full, or emptied at any time, and the site is
slower and nothing else. Sessions stay in the database: one that was ended while Redis did not listen would come back
from there. Limits of attempts stay there too: they would start anew.

# Note [One failure, then a pause]
A hung Redis takes every question and answers none. So each has ANSWER_S, is asked once, and after a failure this
process asks nothing for PAUSE_S: a request waits at most once in that time.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import caches

from core.telemetry.catalog import CACHE_CALLS

logger = logging.getLogger(__name__)

ALIAS = "redis"
ANSWER_S = 0.25
PAUSE_S = 5.0


class SecondCacheAway(Exception):
    """Redis does not work; the message says how. Nothing needs it."""


class SecondCache:
    """Remembers and recalls, and never raises."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._resumes_at = float("-inf")

    def recall(self, key: str) -> Any:
        """Return what was remembered, or None."""
        return self._ask("get", lambda cache: cache.get(key))

    def remember(self, key: str, value: Any, seconds: int) -> None:
        """Keep a value, perhaps, for that long."""
        self._ask("set", lambda cache: cache.set(key, value, seconds))

    def check(self) -> None:
        """Raise SecondCacheAway when it does not take and give back a value; pauses do not count."""
        if ALIAS not in caches.settings:
            return
        try:
            caches[ALIAS].set("ready", 1, 60)
            is_kept = caches[ALIAS].get("ready") == 1
        except Exception as error:
            # Redis and its client may fail in many ways, and the site works without any of them.
            raise SecondCacheAway("Redis does not answer.") from error
        if not is_kept:
            raise SecondCacheAway("Redis lost within a moment what it was given.")

    def _ask(self, operation: str, question: Callable[[Any], Any]) -> Any:
        if ALIAS not in caches.settings:
            return None
        if self._clock() < self._resumes_at:
            CACHE_CALLS.add(ALIAS, operation, "skipped")
            return None
        try:
            answer = question(caches[ALIAS])
        except Exception:
            # Redis, its client, and the pickled value may fail in many ways, and none of them is worth an answer.
            self._resumes_at = self._clock() + PAUSE_S
            CACHE_CALLS.add(ALIAS, operation, "error")
            logger.warning("Redis does not answer", exc_info=True, extra={"pause_s": PAUSE_S})
            return None
        CACHE_CALLS.add(ALIAS, operation, "ok" if operation == "set" else "miss" if answer is None else "hit")
        return answer


def redis_cache(url: str) -> dict[str, Any]:
    """Return what settings put into CACHES for the address `url`."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "OPTIONS": {
            "socket_timeout": ANSWER_S,
            "socket_connect_timeout": ANSWER_S,
            "retry": Retry(NoBackoff(), 0),
        },
    }


SECOND_CACHE = SecondCache()
