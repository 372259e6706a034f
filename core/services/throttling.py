"""Limits on how often something is done, by key; one row of the database for each that is in use.

# Note [One number is enough]
The row holds the moment at which all that was used will have come back. Each use moves it on by one interval, and is
refused when that would move it more than a period ahead of now (the generic cell rate algorithm, ITU-T I.371). So a
limit allows a burst of its amount, then one for each interval, and knows to the millisecond when the next is free.

The use is one conditional UPDATE, so every process of every server counts together, and two at once are two. It lives
in the database and nowhere else: there is no cache to lose it, and when the database does not answer nothing is
allowed. The clocks of two servers may differ a little; a row further ahead than that explains is of a clock that was
set back since, and counts as unused.
"""

import math
from datetime import datetime

from django.db.models import BigIntegerField, Case, F, Q, Value, When
from django.db.models.functions import Greatest

from core.limits import Limit
from core.models import Throttle

CLOCKS_DIFFER_MS = 60_000


class Throttled(Exception):
    """The limit is used up; `retry_after_s` says in how many seconds it no longer is, at least 1."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Used up for {retry_after_s} s.")
        self.retry_after_s = retry_after_s


def use(*, key: str, limit: Limit, now: datetime) -> None:
    """Use a limit once; raises Throttled when it is used up, which uses nothing."""
    now_ms = _milliseconds(now)
    latest_ms = now_ms + limit.period_ms - limit.interval_ms
    of_another_clock = Q(used_until_ms__gt=now_ms + 2 * limit.period_ms + CLOCKS_DIFFER_MS)
    this_moment = Value(now_ms, BigIntegerField())
    begin = Case(When(of_another_clock, then=this_moment), default=Greatest("used_until_ms", this_moment))
    free = Throttle.objects.filter(Q(used_until_ms__lte=latest_ms) | of_another_clock, key=key)
    if free.update(used_until_ms=begin + Value(limit.interval_ms, BigIntegerField())):
        return
    row, is_new = Throttle.objects.get_or_create(key=key, defaults={"used_until_ms": now_ms + limit.interval_ms})
    if is_new:
        return
    if row.used_until_ms <= latest_ms:  # another process made it in this moment
        use(key=key, limit=limit, now=now)
        return
    raise Throttled(max(1, math.ceil((row.used_until_ms - latest_ms) / 1000)))


def give_back(*, key: str, limit: Limit) -> None:
    """Take one use back."""
    Throttle.objects.filter(key=key).update(used_until_ms=F("used_until_ms") - limit.interval_ms)


def prune_throttles(*, now: datetime) -> int:
    """Forget what is unused again; return how many."""
    return Throttle.objects.filter(used_until_ms__lt=_milliseconds(now)).delete()[0]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
