"""The size of a rendition, and how each stored picture is brought to it."""

from fractions import Fraction
from typing import Any

from core.media.color import scaled_for_video
from core.media.geometry import Orientation, displayed_size, turning
from core.media.graphs import Steps
from core.media.needs import LONG_SIDE_PX, SHORT_SIDE_PX


def rendition_size(width_px: int, height_px: int) -> tuple[int, int]:
    """Return the size of the rendition of a picture: at most 1080p in either orientation, both sides even."""
    share = min(
        Fraction(1), Fraction(LONG_SIDE_PX, max(width_px, height_px)), Fraction(SHORT_SIDE_PX, min(width_px, height_px))
    )
    return _even(width_px * share), _even(height_px * share)


def steps_to(size: tuple[int, int], frame: Any, pixel_aspect: Fraction | None, orientation: Orientation) -> Steps:
    """Return the filters that show a stored picture upright, progressive, with square pixels, within `size`.

    A picture of another shape, from a camera that changed its size midway, gets black bars.
    """
    shown = displayed_size(frame.width, frame.height, pixel_aspect, orientation.rotation_deg)
    fitted = _fitted(shown, size)
    stored = fitted[::-1] if orientation.rotation_deg % 180 else fitted
    steps = [("bwdif", "mode=send_frame:deint=interlaced")] if frame.interlaced_frame else []
    steps += [*scaled_for_video(frame, stored), *turning(orientation)]
    if fitted != size:
        steps.append(("pad", f"{size[0]}:{size[1]}:-1:-1"))
    return [*steps, ("setsar", "1")]


def _fitted(shown: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size of the shape of `shown` within `size`; what is off by rounding only fills it."""
    share = min(Fraction(size[0], shown[0]), Fraction(size[1], shown[1]))
    width, height = _even(shown[0] * share), _even(shown[1] * share)
    return size if max(size[0] - width, size[1] - height) <= 2 else (width, height)


def _even(length: Fraction) -> int:
    return max(2, int(length) // 2 * 2)
