"""A video whose pictures hold two moments each, line by line, as cameras for television film."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from core.media.graphs import PictureGraph
from tests.videos.marked import SIZE, marked

_RATE = 30
#: Of each two pictures the upper lines of the first and the lower ones of the second.
_WEAVING = [("separatefields", ""), ("select", "eq(mod(n\\,4)\\,0)+eq(mod(n\\,4)\\,3)"), ("weave", "first_field=top")]


def interlaced_mp4(folder: Path) -> Path:
    """The marked video: odd lines are a sixtieth of a second later than even ones, so the end of the bar is a comb."""
    whole = marked(folder / "progressive.mp4", frame_rate=2 * _RATE, audio_codec=None)
    path = folder / "interlaced.mp4"
    with av.open(str(whole)) as read, av.open(str(path), "w") as written:
        stream: Any = written.add_stream("mpeg4", rate=_RATE, options={"flags": "+ildct+ilme", "b": "4M"})
        stream.width, stream.height = SIZE
        graph = PictureGraph(lambda frame: _WEAVING, read.streams.video[0].time_base)
        frames = [woven for frame in read.decode(video=0) for woven in graph.push(frame)]
        for number, woven in enumerate([*frames, *graph.drain()]):
            woven.pts, woven.time_base, woven.pict_type = number, Fraction(1, _RATE), 0
            written.mux(stream.encode(woven))
        written.mux(stream.encode(None))
    return path


def combing(path: Path) -> int:
    """Return by how much neighboring lines of the bar differ in all pictures together, in pixels of white."""
    with av.open(str(path)) as container:
        return sum(_combing(frame) for frame in container.decode(video=0))


def _combing(frame: Any) -> int:
    plane, middle = frame.planes[0], frame.height // 2
    even, odd = (bytes(plane)[line * plane.line_size :][: frame.width] for line in (middle, middle + 1))
    return sum(abs(one - other) for one, other in zip(even, odd, strict=True)) // 220
