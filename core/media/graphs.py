"""Puts pictures through FFmpeg's filters, whatever their kind: a stream may change its size or colors midway."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from av.error import BlockingIOError as NotYet
from av.error import EOFError as EndOfFile
from av.filter import Graph

Steps = list[tuple[str, str]]


class PictureGraph:
    """A chain of filters that is made for the first picture and anew for each one that differs in kind.

    `steps_for` returns the filters, by name and arguments, for pictures like the one given; `tick` is the unit of
    the pictures' `pts`, in seconds.
    """

    def __init__(self, steps_for: Callable[[Any], Steps], tick: Fraction):
        self._steps_for, self._tick = steps_for, tick
        self._graph: Graph | None = None
        self._kind: tuple[Any, ...] = ()

    def push(self, frame: Any) -> list[Any]:
        """Return the pictures that come out when `frame` goes in."""
        done: list[Any] = []
        kind = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range, frame.color_trc)
        if self._graph is None or kind != self._kind:
            done = self.drain()
            self._graph, self._kind = self._new_graph(frame), kind
        self._graph.vpush(frame)
        return done + _pulled(self._graph)

    def drain(self) -> list[Any]:
        """Return the pictures that filters still hold; the next one pushed begins anew."""
        if self._graph is None:
            return []
        graph, self._graph = self._graph, None
        graph.vpush(None)
        return _pulled(graph)

    def _new_graph(self, frame: Any) -> Graph:
        graph = Graph()
        graph.threads = 1
        source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=self._tick)
        steps = [graph.add(*step) for step in self._steps_for(frame)]
        graph.link_nodes(source, *steps, graph.add("buffersink")).configure()
        return graph


def _pulled(graph: Graph) -> list[Any]:
    frames = []
    while True:
        try:
            frames.append(graph.vpull())
        except (NotYet, EndOfFile):
            return frames
