"""Frame rates from time stamps alone."""

from fractions import Fraction

import pytest

from core.media.timing import FrameTiming, measure_timing

MILLISECOND = Fraction(1, 1000)


def stamps(rate: Fraction, count: int, tick: Fraction) -> list[int]:
    return [round(number / rate / tick) for number in range(count)]


@pytest.mark.parametrize(
    "rate",
    [Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 30, 50, Fraction(60000, 1001), 60, 120, 240],
)
@pytest.mark.parametrize("tick", [MILLISECOND, Fraction(1, 600), Fraction(1, 90_000)])
def test_a_usual_rate_is_found_exactly_although_its_times_are_rounded(rate, tick):
    assert measure_timing(stamps(Fraction(rate), 1200, tick), tick) == FrameTiming(Fraction(rate), variable=False)


def test_the_order_of_the_time_stamps_does_not_matter():
    assert measure_timing([0, 120, 40, 80, 160], MILLISECOND).rate == 25


def test_an_unusual_steady_rate_is_kept_as_it_is():
    assert measure_timing(stamps(Fraction(17), 100, Fraction(1, 17_000)), Fraction(1, 17_000)) == FrameTiming(
        Fraction(17), False
    )


def test_dropped_pictures_make_the_rate_variable():
    moments = [
        moment for number, moment in enumerate(stamps(Fraction(30), 300, MILLISECOND)) if number % 7 or number < 90
    ]
    assert measure_timing(moments, MILLISECOND).variable


def test_the_jitter_of_a_camera_does_not_make_the_rate_variable():
    moments = [
        moment + (-3, 0, 2, 4)[number % 4] for number, moment in enumerate(stamps(Fraction(30), 300, MILLISECOND))
    ]
    assert measure_timing(moments, MILLISECOND) == FrameTiming(Fraction(30), variable=False)


def test_one_picture_takes_the_rate_its_header_gives():
    assert measure_timing([0], MILLISECOND, [None, Fraction(12)]) == FrameTiming(Fraction(12), variable=False)
    assert measure_timing([0], MILLISECOND) == FrameTiming(Fraction(25), variable=False)


def test_a_header_that_disagrees_with_the_measurement_is_not_believed():
    assert measure_timing(stamps(Fraction(30), 90, MILLISECOND), MILLISECOND, [Fraction(1000)]).rate == 30
