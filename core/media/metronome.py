"""The sound of the demo's videos: a soft tick on every beat, a higher one on the first of each four."""

import math
from array import array

SAMPLE_RATE = 48_000

_TICK_S = 0.06
_LOUDNESS = 7_000  # of 32 767: audible under a voice, never startling


def ticks(seconds: float, beat_s: float) -> array:
    """Return signed 16-bit samples of one channel at `SAMPLE_RATE`, `seconds` long."""
    samples = array("h", bytes(2 * round(seconds * SAMPLE_RATE)))
    high, low = _tick(1320.0), _tick(880.0)
    for beat in range(math.ceil(seconds / beat_s)):
        begin = round(beat * beat_s * SAMPLE_RATE)
        tick = (high if beat % 4 == 0 else low)[: len(samples) - begin]
        samples[begin : begin + len(tick)] = tick
    return samples


def _tick(pitch_hz: float) -> array:
    length = round(_TICK_S * SAMPLE_RATE)
    rise = SAMPLE_RATE // 500  # two milliseconds, so that the tick does not click
    return array(
        "h",
        (
            round(
                _LOUDNESS
                * min(1.0, place / rise)
                * math.exp(-6 * place / length)
                * math.sin(math.tau * pitch_hz * place / SAMPLE_RATE)
            )
            for place in range(length)
        ),
    )
