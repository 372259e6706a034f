"""Files for tests, made on the spot: videos as phones and browsers make them, and files that are no videos.

Every builder takes the folder to write to and returns the path. `BAD` lists what must be refused, each with
the code; `DAMAGED` what may be refused or measured, but must end quickly and quietly.
"""

from collections.abc import Callable
from pathlib import Path

from tests.videos.bombs import (
    compressed_index,
    nested_boxes,
    three_thousand_tracks,
    vast_table,
)
from tests.videos.damaged import (
    a_thousand_pictures_a_second,
    bit_flipped,
    claims_136_years,
    claims_65535_pixels,
    five_hours,
    ftyp_only,
    large_picture,
    no_frame,
    timescale_zero,
    truncated_index_end,
    truncated_index_front,
    truncated_webm,
    vast_picture,
)
from tests.videos.good import (
    hdr_mp4,
    hevc_mp4,
    phone_mp4,
    rotated_mov,
    silent_mp4,
    vp8_webm,
    vp9_webm,
)
from tests.videos.other import (
    audio_only_m4a,
    audio_with_cover_m4a,
    avif_named_mp4,
    elf_named_mp4,
    empty,
    ffconcat_list,
    hls_playlist,
    html_named_mp4,
    noise,
    one_byte,
    pdf_named_mp4,
    png_named_mp4,
    svg_named_mp4,
    text_named_mp4,
    zip_named_mp4,
)

__all__ = [
    "BAD",
    "DAMAGED",
    "Builder",
    "a_thousand_pictures_a_second",
    "audio_only_m4a",
    "audio_with_cover_m4a",
    "avif_named_mp4",
    "bit_flipped",
    "claims_136_years",
    "claims_65535_pixels",
    "compressed_index",
    "elf_named_mp4",
    "empty",
    "ffconcat_list",
    "five_hours",
    "ftyp_only",
    "hdr_mp4",
    "hevc_mp4",
    "hls_playlist",
    "html_named_mp4",
    "large_picture",
    "nested_boxes",
    "no_frame",
    "noise",
    "one_byte",
    "pdf_named_mp4",
    "phone_mp4",
    "png_named_mp4",
    "rotated_mov",
    "silent_mp4",
    "svg_named_mp4",
    "text_named_mp4",
    "three_thousand_tracks",
    "timescale_zero",
    "truncated_index_end",
    "truncated_index_front",
    "truncated_webm",
    "vast_picture",
    "vast_table",
    "vp8_webm",
    "vp9_webm",
    "zip_named_mp4",
]

Builder = Callable[[Path], Path]

BAD: dict[Builder, str] = {
    audio_only_m4a: "no_video_track",
    audio_with_cover_m4a: "no_video_track",
    text_named_mp4: "not_a_video",
    html_named_mp4: "not_a_video",
    svg_named_mp4: "not_a_video",
    png_named_mp4: "not_a_video",
    avif_named_mp4: "not_a_video",
    pdf_named_mp4: "not_a_video",
    zip_named_mp4: "not_a_video",
    elf_named_mp4: "not_a_video",
    empty: "not_a_video",
    one_byte: "not_a_video",
    noise: "not_a_video",
    ftyp_only: "truncated",
    truncated_index_front: "truncated",
    truncated_index_end: "truncated",
    truncated_webm: "truncated",
    no_frame: "no_decodable_frame",
    vast_picture: "picture_too_large",
    large_picture: "picture_too_large",
    a_thousand_pictures_a_second: "frame_rate_too_high",
    five_hours: "too_long",
}

DAMAGED: tuple[Builder, ...] = (
    claims_136_years,
    bit_flipped,
    timescale_zero,
    claims_65535_pixels,
    nested_boxes,
    vast_table,
    compressed_index,
    three_thousand_tracks,
)
