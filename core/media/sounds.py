"""Decodes the sound of a video and encodes it as AAC, each moment where it was.

Gaps (a recording that was paused, lost packets) become silence, and so does the time before a sound that begins
late; sound from before zero is cut off.
"""

from fractions import Fraction
from typing import Any

from av.error import BlockingIOError as NotYet
from av.error import EOFError as EndOfFile
from av.filter import Graph

from core.media.decoding import PatientDecoder

_RATES = {44_100, 48_000}
_USUAL_RATE = 48_000
_BITS_PER_SECOND = {"mono": 96_000, "stereo": 160_000}
_SAMPLES_PER_PACKET = 1024
_MAX_BROKEN_PACKETS = 5_000


class EncodedSound:
    """Takes the packets of one stream of sound and writes AAC into the target."""

    def __init__(self, target: Any, stream: Any):
        self._target, self._source = target, stream
        self._decoder = PatientDecoder(stream.codec_context, _MAX_BROKEN_PACKETS)
        rate = stream.codec_context.sample_rate
        self._rate = rate if rate in _RATES else _USUAL_RATE
        self._layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        self._stream = target.add_stream("aac", rate=self._rate)
        encoder = self._stream.codec_context
        encoder.layout, encoder.format, encoder.time_base = self._layout, "fltp", Fraction(1, self._rate)
        encoder.bit_rate, encoder.thread_count = _BITS_PER_SECOND[self._layout], 1
        self._graph: Graph | None = None
        self._graph_for: tuple[Any, ...] = ()
        self._samples = 0

    def take(self, packet: Any | None) -> None:
        """Encode what the packet completes; None asks for what the decoder still holds."""
        for frame in self._decoder.frames(packet):
            if frame.samples and frame.sample_rate:
                frame.time_base = self._source.time_base
                self._push(frame)

    def finish(self) -> None:
        """Write what is still held."""
        self.take(None)
        if self._graph is not None:
            self._drain()
        self._target.mux(self._stream.encode(None))

    def _push(self, frame: Any) -> None:
        kind = (frame.sample_rate, frame.layout.name, frame.format.name)
        if kind != self._graph_for:
            if self._graph is not None:
                self._drain()
            self._graph, self._graph_for = self._new_graph(frame), kind
        self._graph.push(frame)  # type: ignore[union-attr]
        self._pull()

    def _drain(self) -> None:
        self._graph.push(None)  # type: ignore[union-attr]
        self._pull()

    def _new_graph(self, frame: Any) -> Graph:
        graph = Graph()
        graph.threads = 1
        source = graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name, time_base=frame.time_base
        )
        steps = [
            ("aresample", f"{self._rate}:async=1:first_pts={self._samples}"),
            ("aformat", f"sample_fmts=fltp:sample_rates={self._rate}:channel_layouts={self._layout}"),
            ("asetnsamples", f"n={_SAMPLES_PER_PACKET}:p=0"),
        ]
        graph.link_nodes(source, *(graph.add(*step) for step in steps), graph.add("abuffersink")).configure()
        return graph

    def _pull(self) -> None:
        while True:
            try:
                frame: Any = self._graph.pull()  # type: ignore[union-attr]
            except (NotYet, EndOfFile):
                return
            frame.pts, frame.time_base = self._samples, Fraction(1, self._rate)
            self._samples += frame.samples
            self._target.mux(self._stream.encode(frame))
