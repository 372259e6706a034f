"""Load at a fixed rate from one thread: each request has its moment, and its delay counts from that moment.

# Note [An open loop that costs little]
The generator shares the machine with what it measures, so it builds no objects for answers: sockets that do not block,
requests that are bytes already, an answer read for its status and length only. Each kind has connections of its own,
as a balancer's probes have; a request waits for a free one if all are busy, and that wait counts, too. What was sent
and not answered in LONGEST_S is an error, not a missing figure.
"""

import re
import selectors
import socket
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST_S = 30.0
BLOCK = bytearray(512 * 1024)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


@dataclass(frozen=True)
class Ask:
    """One request as it goes over the wire, and the status that is right for it."""

    kind: str
    content: bytes
    expected: int


@dataclass
class Tally:
    """What came of one kind: delays in ms of the right answers, errors by what they were."""

    delays: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    def failed(self, reason: str) -> None:
        """Count an error."""
        self.errors[reason] = self.errors.get(reason, 0) + 1

    def at(self, share: float) -> float:
        """Return the delay that `share` of the right answers stay below; NaN without any."""
        ordered = sorted(self.delays)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


class Line:
    """A connection that carries one request at a time."""

    def __init__(self, port: int, selector: selectors.BaseSelector):
        self._port, self._selector = port, selector
        self._socket: socket.socket | None = None
        self.ask: Ask | None = None
        self.planned = 0.0

    def begin(self, ask: Ask, planned: float) -> None:
        """Send a request, as far as the socket takes it now."""
        self.ask, self.planned = ask, planned
        self._rest, self._head, self._missing = memoryview(ask.content), b"", -1
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setblocking(False)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._write()

    def go_on(self, events: int) -> int | None:
        """Write and read what is possible; return the status once the answer is whole. ConnectionError."""
        if events & selectors.EVENT_WRITE:
            self._write()
        if events & selectors.EVENT_READ:
            return self._read()
        return None

    def close(self) -> None:
        """Give the connection up; the next request opens another."""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
        self._socket, self.ask = None, None

    def _write(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[self._socket.send(self._rest) :]
        except BlockingIOError:
            pass
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._rest else 0)
        if self._selector.get_key(self._socket).events != wanted:
            self._selector.modify(self._socket, wanted, self)

    def _read(self) -> int | None:
        try:
            while self._missing:
                got = self._socket.recv_into(BLOCK)
                if not got:
                    raise ConnectionError("closed")
                if self._missing > 0:
                    self._missing -= got
                else:
                    self._take_head(bytes(memoryview(BLOCK)[:got]))
        except BlockingIOError:
            return None
        return self._end()

    def _take_head(self, block: bytes) -> None:
        self._head += block
        head, end, body = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        length = LENGTH.search(head)
        if not length:
            raise ConnectionError("no Content-Length")
        self._head, self._missing = head, int(length[1]) - len(body)

    def _end(self) -> int:
        status = int(self._head[9:12])
        self.ask = None
        if CLOSES.search(self._head):
            self.close()
        return status


Idle = dict[str, list[Line]]


def run(port: int, asks: Iterator[Ask], *, rate: float, seconds: float, connections: int) -> dict[str, Tally]:
    """Send requests at their moments for so long, and wait for what is under way; return the tallies by kind."""
    selector = selectors.DefaultSelector()
    idle: Idle = defaultdict(lambda: [Line(port, selector) for _ in range(connections)])
    busy: set[Line] = set()
    waiting: dict[str, deque[tuple[Ask, float]]] = defaultdict(deque)
    tallies: dict[str, Tally] = {}
    started, number, total = time.perf_counter(), 0, int(rate * seconds)
    while number < total or busy or any(waiting.values()):
        now = time.perf_counter()
        while number < total and started + number / rate <= now:
            ask = next(asks)
            waiting[ask.kind].append((ask, started + number / rate))
            number += 1
        for kind, queue in waiting.items():
            while queue and idle[kind]:
                _begin(idle, busy, tallies, *queue.popleft())
        due = started + number / rate if number < total else now + 1.0
        for key, events in selector.select(max(0.0, due - time.perf_counter())):
            _handle(key.data, events, idle, busy, tallies)
        for line in [line for line in busy if now - line.planned > LONGEST_S]:
            _failed(line, "no answer", idle, busy, tallies)
        for kind, queue in waiting.items():
            while queue and now - queue[0][1] > LONGEST_S:
                queue.popleft()
                tallies.setdefault(kind, Tally()).failed("never sent")
    for line in (line for lines in idle.values() for line in lines):
        line.close()
    return tallies


def _begin(idle: Idle, busy: set[Line], tallies: dict[str, Tally], ask: Ask, planned: float) -> None:
    line = idle[ask.kind].pop()
    busy.add(line)
    try:
        line.begin(ask, planned)
    except OSError as error:
        _failed(line, type(error).__name__, idle, busy, tallies)


def _handle(line: Line, events: int, idle: Idle, busy: set[Line], tallies: dict[str, Tally]) -> None:
    if line.ask is None:  # the server closed an idle connection
        line.close()
        return
    ask = line.ask
    try:
        status = line.go_on(events)
    except OSError as error:
        _failed(line, type(error).__name__, idle, busy, tallies)
        return
    if status is None:
        return
    tally = tallies.setdefault(ask.kind, Tally())
    if status == ask.expected:
        tally.delays.append((time.perf_counter() - line.planned) * 1000)
    else:
        tally.failed(str(status))
    busy.discard(line)
    idle[ask.kind].append(line)


def _failed(line: Line, reason: str, idle: Idle, busy: set[Line], tallies: dict[str, Tally]) -> None:
    ask = line.ask
    line.close()
    if ask and line in busy:
        tallies.setdefault(ask.kind, Tally()).failed(reason)
        busy.discard(line)
        idle[ask.kind].append(line)
