"""A line between a browser and the site that can be cut, stalled, slowed down, and made long: a small TCP proxy.

with Line("127.0.0.1", 8000) as line:
    line.slow(bytes_per_s=1_000_000, delay_s=0.05)
    line.cut()
    line.mend()
"""

import contextlib
import socket
import struct
import threading
import time
from queue import Queue
from types import TracebackType

BLOCK_BYTES, WIDE_BLOCK_BYTES = 16 * 1024, 64 * 1024
WIDE_FROM_BYTES_PER_S = 10_000_000
MOST_BLOCKS_ON_THE_WAY = 256  # of one connection on a long line, as a window of TCP
MOMENT_S = 0.05
WITH_A_RESET = struct.pack("ii", 1, 0)  # no lingering: a mere end would leave a sender waiting for room
Way = Queue[tuple[float, bytes] | None]  # blocks with the time at which they arrive; None is the end


class Line:
    """Forwards whatever comes to `address`; `sent_bytes` counts what clients sent and the server was given."""

    def __init__(self, host: str, port: int):
        self._target = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._is_cut = self._is_closed = False
        self._bytes_per_s: float | None = None
        self._delay_s = 0.0
        self._free_at_s = 0.0
        self.sent_bytes = 0

    @property
    def address(self) -> str:
        """The address to give to the browser."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> "Line":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        self._flows.set()
        self._listening.close()
        self._hang_up()

    def slow(self, *, bytes_per_s: float | None, delay_s: float = 0) -> None:
        """Let clients send that much together (None: as much as there is), with so long a way in each direction.

        A new connection costs a way there and back before it carries anything, as with TCP.
        """
        self._bytes_per_s, self._delay_s = bytes_per_s, delay_s

    def cut(self) -> None:
        """Break every connection, and every new one, until `mend`."""
        self._is_cut = True
        self._hang_up()

    def stall(self) -> None:
        """Keep connections open and forward nothing, until `mend`."""
        self._flows.clear()

    def mend(self) -> None:
        """Let everything through again."""
        self._is_cut = False
        self._flows.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            try:
                time.sleep(2 * self._delay_s)
                server = None if self._is_cut else socket.create_connection(self._target)
            except OSError:
                server = None  # nobody listens there
            if server is None:
                client.close()
                return
            with self._lock:
                self._open |= {client, server}
            if self._is_cut:
                self._hang_up()  # it was cut while this connection was made
            threading.Thread(target=self._forward, args=(server, client, False), daemon=True).start()
            self._forward(client, server, True)

    def _forward(self, source: socket.socket, target: socket.socket, is_sent: bool) -> None:
        way: Way = Queue(MOST_BLOCKS_ON_THE_WAY if self._delay_s else 1)
        threading.Thread(target=self._deliver, args=(way, source, target, is_sent), daemon=True).start()
        with contextlib.suppress(OSError):
            while block := source.recv(self._block_bytes):
                self._flows.wait()
                if is_sent:
                    self._pace(len(block))
                way.put((time.monotonic() + self._delay_s, block))
        way.put(None)

    def _deliver(self, way: Way, source: socket.socket, target: socket.socket, is_sent: bool) -> None:
        blocks = iter(way.get, None)
        with contextlib.suppress(OSError):
            for arrives_s, block in blocks:
                time.sleep(max(0.0, arrives_s - time.monotonic()))
                target.sendall(block)
                self.sent_bytes += len(block) if is_sent else 0
        self._close(source, target)
        for _ in blocks:
            pass  # nobody takes it any more; who forwards must not wait for room

    def _close(self, *sides: socket.socket) -> None:
        for side in sides:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
        with self._lock:
            self._open -= set(sides)

    @property
    def _block_bytes(self) -> int:
        is_wide = self._bytes_per_s is None or self._bytes_per_s >= WIDE_FROM_BYTES_PER_S
        return WIDE_BLOCK_BYTES if is_wide else BLOCK_BYTES

    def _pace(self, size_bytes: int) -> None:
        if self._bytes_per_s is None:
            return
        with self._lock:
            self._free_at_s = max(self._free_at_s, time.monotonic() - MOMENT_S) + size_bytes / self._bytes_per_s
            wait_s = self._free_at_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)

    def _hang_up(self) -> None:
        with self._lock:
            sides = list(self._open)
        for side in sides:
            with contextlib.suppress(OSError):
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, WITH_A_RESET)
                side.shutdown(socket.SHUT_RDWR)
