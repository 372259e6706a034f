"""A limit: so many at once, then as many as come back, whatever the clock does."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from core.limits import Limit
from core.models import Throttle
from core.process_limits import ProcessLimits
from core.services.throttling import Throttled, give_back, prune_throttles, use

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
THREE_A_MINUTE = Limit.read("3/1m")


def used(times: int, *, now: datetime = NOW, key: str = "ben", limit: Limit = THREE_A_MINUTE) -> int:
    """Return how many of so many uses were allowed."""
    allowed = 0
    for _ in range(times):
        try:
            use(key=key, limit=limit, now=now)
            allowed += 1
        except Throttled:
            continue
    return allowed


@pytest.mark.parametrize(
    ("written", "limit"), [("3/1m", Limit(3, 60_000)), ("10/5m", Limit(10, 300_000)), ("7/h", Limit(7, 3_600_000))]
)
def test_a_limit_is_read_as_operators_write_it(written, limit):
    assert Limit.read(written) == limit


@pytest.mark.parametrize("written", ["", "3", "0/1m", "3/0m", "-3/1m", "3/1w", "3/m1", "3 / 1m", "3/1m\n", "٣/1m"])
def test_anything_else_is_no_limit(written):
    with pytest.raises(ValueError):  # noqa: PT011 (whoever reads it makes the sentence)
        Limit.read(written)


def test_a_burst_is_allowed_up_to_the_amount_and_another_key_is_not_hurt(db):
    assert used(5) == 3
    assert used(5, key="dee") == 3


def test_it_says_when_the_next_is_free_and_then_it_is(db):
    used(3)
    with pytest.raises(Throttled) as refused:
        use(key="ben", limit=THREE_A_MINUTE, now=NOW + timedelta(seconds=5))
    assert refused.value.retry_after_s == 15
    assert used(1, now=NOW + timedelta(seconds=19)) == 0
    assert used(5, now=NOW + timedelta(seconds=20)) == 1


def test_after_its_period_the_whole_amount_is_there_again(db):
    used(3)
    assert used(5, now=NOW + timedelta(minutes=1)) == 3


def test_asking_while_refused_does_not_put_it_off(db):
    used(100)
    assert used(1, now=NOW + timedelta(seconds=20)) == 1


def test_one_that_is_given_back_can_be_used_again(db):
    used(3)
    give_back(key="ben", limit=THREE_A_MINUTE)
    assert used(2) == 1


def test_a_clock_that_is_a_little_behind_opens_nothing(db):
    used(3)
    assert used(1, now=NOW - timedelta(seconds=60)) == 0


def test_a_clock_that_was_set_back_by_a_day_closes_nothing_for_a_day(db):
    used(3)
    assert used(5, now=NOW - timedelta(days=1)) == 3


def test_what_is_unused_again_is_forgotten_and_nothing_else(db):
    used(1, key="ben")
    used(3, key="dee")
    assert prune_throttles(now=NOW + timedelta(seconds=30)) == 1
    assert list(Throttle.objects.values_list("key", flat=True)) == ["dee"]


def counted_here(most_keys: int = 100) -> tuple[ProcessLimits, list[float]]:
    """Return limits of a process, and the seconds of its clock."""
    clock = [50.0]
    return ProcessLimits(most_keys=most_keys, clock=lambda: clock[0]), clock


def used_here(limits: ProcessLimits, times: int, key: str = "ben") -> int:
    """Return how many of so many uses were allowed."""
    allowed = 0
    for _ in range(times):
        with contextlib.suppress(Throttled):
            limits.use({key: THREE_A_MINUTE})
            allowed += 1
    return allowed


def test_a_process_allows_the_same_burst_and_as_many_again_as_come_back():
    limits, clock = counted_here()
    assert (used_here(limits, 5), used_here(limits, 5, key="dee")) == (3, 3)
    with pytest.raises(Throttled) as refused:
        limits.use({"ben": THREE_A_MINUTE})
    assert refused.value.retry_after_s == 20
    clock[0] += 20
    assert used_here(limits, 5) == 1
    clock[0] += 60
    assert used_here(limits, 5) == 3


def test_a_process_remembers_so_many_and_forgets_who_asked_longest_ago():
    limits, _ = counted_here(most_keys=2)
    for key in ("ben", "dee", "ben", "zoe"):
        used_here(limits, 3, key)
    assert [used_here(limits, 3, key) for key in ("ben", "zoe", "dee")] == [0, 0, 3]


def test_what_is_refused_by_one_of_two_uses_neither():
    limits, _ = counted_here()
    used_here(limits, 3)
    for _ in range(3):
        with pytest.raises(Throttled):
            limits.use({"an address": THREE_A_MINUTE, "ben": THREE_A_MINUTE})
    assert used_here(limits, 5, key="an address") == 3
