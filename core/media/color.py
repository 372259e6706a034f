"""Colors: which pictures are HDR, and how any picture gets the ordinary colors of a screen or of a JPEG.

# Note [HDR to ordinary colors]
The conversion of curve and gamut works on red, green and blue. Given YUV, FFmpeg goes there by a slow path: measured
with 2160p to 1080p, 118 ms a picture; first scaled and turned into RGB, then converted, it took 29 ms and looks the
same. Its table costs over a second, so a chain of filters is made once for a stream and not for each picture.
"""

from typing import Any

from core.media.graphs import Steps

# FFmpeg's numbers (libavutil/pixfmt.h): the curves PQ and HLG, the primaries of BT.2020, "not said".
_HDR_CURVES, _WIDE_GAMUT, _UNSAID = {16, 18}, 9, 2
_HD_HEIGHT_PX = 720

BT709 = 1
LIMITED_RANGE = 1


def is_hdr(frame: Any) -> bool:
    """Return whether the picture is brighter or more colorful than an ordinary screen shows."""
    return frame.color_trc in _HDR_CURVES or frame.color_primaries == _WIDE_GAMUT


def scaled_for_video(frame: Any, size: tuple[int, int]) -> Steps:
    """Return the filters from a picture like `frame` to one of BT.709, limited range, 8 bits (4:2:0)."""
    return _scaled(frame, size, "bicubic", "out_range=limited:out_color_matrix=bt709", "yuv420p")


def scaled_for_jpeg(frame: Any, size: tuple[int, int]) -> Steps:
    """Return the filters from a picture like `frame` to one in the colors of a JPEG.

    JFIF has one meaning only: full range, the BT.601 matrix, and to a browser the primaries and tone curve of
    sRGB, which BT.709's stand for here. So pictures of a wider gamut or in HDR become what an ordinary screen
    can show.
    """
    return _scaled(frame, size, "area", "out_range=full:out_color_matrix=bt601", "yuvj420p")


def _scaled(frame: Any, size: tuple[int, int], flags: str, colors: str, pixel_format: str) -> Steps:
    scale = f"{size[0]}:{size[1]}:flags={flags}"
    if is_hdr(frame):
        colors += ":out_primaries=bt709:out_transfer=bt709"
        return [("scale", scale), ("format", "gbrp10le"), ("scale", colors), ("format", pixel_format)]
    if frame.colorspace == _UNSAID and not frame.format.is_rgb:
        # What browsers take it for (Chromium: media/ffmpeg/ffmpeg_common.cc).
        colors += ":in_color_matrix=" + ("bt709" if frame.height >= _HD_HEIGHT_PX else "bt601")
    return [("scale", f"{scale}:{colors}"), ("format", pixel_format)]
