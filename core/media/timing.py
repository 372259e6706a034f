"""The frame rate of a video, from the moments at which its pictures are shown.

# Note [Frame rates are measured]
A header's frame rate is a guess, and stepping by frames goes to `(n + 0.5) / rate`: it must be exact. So the
rate comes from the time stamps. Containers round these (WebM to milliseconds), hence the fraction nearest to
the measurement is taken from those that cameras and exporters use. The test is always the same: does the
`n`-th picture lie within half a picture of `n / rate`? If no rate passes it the rate varies, and the average
is reported as such.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

_USUAL = [Fraction(rate) for rate in (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 72, 90, 100, 120, 144, 200, 240)]
_USUAL += [Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120, 240)]
_USUAL += [Fraction(15, 2), Fraction(25, 2)]
_NEAR = Fraction(4, 10_000)  # 30 and 30000/1001 differ by 10 in 10 000
_FALLBACK = Fraction(25)


@dataclass(frozen=True)
class FrameTiming:
    """The frame rate as a fraction of pictures a second, and whether it varies."""

    rate: Fraction
    variable: bool


def measure_timing(moments: Sequence[int], tick: Fraction, hints: Iterable[Fraction | None] = ()) -> FrameTiming:
    """Return the timing of pictures shown at `moments`, counted in ticks of `tick` seconds, in any order.

    `hints` are the rates the header gives: one of them is taken only when the measurement agrees with it.
    With one picture there is nothing to measure, and the first hint stands.
    """
    shown = sorted(set(moments))
    known = [hint for hint in hints if hint and 0 < hint <= 1000]
    if len(shown) < 2:
        return FrameTiming(_bounded(known[0] if known else _FALLBACK), variable=False)
    span = (shown[-1] - shown[0]) * tick
    average = (len(shown) - 1) / span
    measured = _slope(shown, tick) or average
    # One tick of rounding at either end is what two time stamps can be wrong by.
    tolerance = max(_NEAR, tick / span)
    candidates = [rate for rate in (*_USUAL, *known) if abs(rate - measured) <= measured * tolerance]
    candidates.sort(key=lambda rate: abs(rate - measured))
    for rate in [*candidates, measured]:
        if _is_steady(shown, tick, rate):
            return FrameTiming(_bounded(rate), variable=False)
    return FrameTiming(_bounded(average), variable=True)


def _slope(shown: Sequence[int], tick: Fraction) -> Fraction:
    """Return the pictures a second along the line that fits all moments best, so that jitter cancels out."""
    middle, mean = (len(shown) - 1) / 2, sum(shown) / len(shown)
    rise = sum((number - middle) * (moment - mean) for number, moment in enumerate(shown))
    run = len(shown) * (len(shown) ** 2 - 1) / 12
    return Fraction(run / rise).limit_denominator(1_000_000) / tick


def _is_steady(shown: Sequence[int], tick: Fraction, rate: Fraction) -> bool:
    """Return whether every picture is within half a picture of where the rate puts it."""
    per_picture = float(1 / (rate * tick))
    first, slack = shown[0], per_picture / 2 + 1
    return all(abs(moment - first - number * per_picture) <= slack for number, moment in enumerate(shown))


def _bounded(rate: Fraction) -> Fraction:
    return rate.limit_denominator(1001) or Fraction(1, 1001)
