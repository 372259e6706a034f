"""The handler that writes log lines to standard output without ever making a request wait.

# Note [A stalled reader]
Standard output is a pipe whose reader may stall, and writing to a full pipe blocks: a plain StreamHandler
hung the health answer at request 65. So a request only puts its line into a queue that is bounded in bytes,
and one daemon thread per process writes. When the queue is full the line is dropped and counted; once lines
flow again, one warning says how many are missing. A forked child starts with an empty queue and a thread of
its own, so that no line is written twice. Writes stay within PIPE_BUF, which the kernel keeps whole among
processes that share a pipe (pipe(7)); only a single line longer than that can be torn, and only while the
reader stalls.

# Note [Lines are gathered]
A writer that wakes for every line takes the interpreter from a request each time. So, once there is a line, it waits
GATHER_SECONDS for those that come with it; whoever logs meanwhile wakes nobody, and whoever flushes ends the wait.
"""

import contextlib
import json
import logging
import os
import select
import sys
import threading
import time
import traceback
import weakref
from collections import deque
from typing import Any

from core.telemetry.catalog import LOG_LINES_DROPPED

QUEUE_BYTES = 4 * 1024 * 1024
FLUSH_SECONDS = 2.0
GATHER_SECONDS = 0.02


class NonBlockingHandler(logging.Handler):
    """Writes lines to a file descriptor (default: the usual output); `dropped` counts those it could not."""

    _failure: Any

    def __init__(self, descriptor: int | None = None, *, queue_bytes: int = QUEUE_BYTES) -> None:
        super().__init__()
        self.descriptor = _descriptor() if descriptor is None else descriptor
        self.queue_bytes = queue_bytes
        self.start_empty()
        HANDLERS.add(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line, or count it as dropped; never wait, never raise."""
        try:
            line = self.format(record).encode("utf-8", "replace") + b"\n"
        except Exception:
            # Logging it from here could go round in circles; the report of dropped lines, due now, has the traceback.
            line, self._failure = None, sys.exc_info()
        with self._changed:
            if line is None or self._closed or self._waiting_bytes + len(line) > self.queue_bytes:
                self._drop(1)
            else:
                self._lines.append(line)
                self._waiting_bytes += len(line)
            if not self._closed:
                self._ensure_writer()
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything is written, but no longer than FLUSH_SECONDS."""
        deadline = time.monotonic() + FLUSH_SECONDS
        self._hurry.set()
        with self._changed:
            while self._is_writing():
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    break
        self._hurry.clear()

    def close(self) -> None:
        """Take no more lines and let the writer end; lines that are still queued are written first."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._hurry.set()
        super().close()

    def start_empty(self) -> None:
        """Set up queue, lock, and counts: at first, and in a forked child.

        A child must not keep the lock: a thread that the fork did not copy may be holding it.
        """
        self.dropped = 0
        self._reported = 0
        self._reporting = 0
        self._failure = None
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._writing = False
        self._flowing = True
        self._closed = False
        self._writer: threading.Thread | None = None

    def _drop(self, lines: int) -> None:
        self.dropped += lines
        LOG_LINES_DROPPED.add(amount=lines)

    def _ensure_writer(self) -> None:
        if self._writer is None:
            writer = threading.Thread(target=self._write_lines, name=f"log-writer-{self.descriptor}", daemon=True)
            with contextlib.suppress(RuntimeError):  # no thread to be had: lines wait, and the next one tries again
                writer.start()
                self._writer = writer

    def _is_writing(self) -> bool:
        alive = self._writer is not None and self._writer.is_alive()
        return alive and bool(self._lines or self._writing or self._report_is_due())

    def _write_lines(self) -> None:
        while True:
            self._await_lines()
            if not (chunk := self._next_chunk()):
                return
            written = _write_whole(self.descriptor, chunk)
            with self._changed:
                self._writing = False
                self._flowing = written
                self._account(chunk, written=written)
                self._changed.notify_all()

    def _account(self, chunk: bytes, *, written: bool) -> None:
        """Count what a chunk told of as reported, or its lines as dropped; an unwritten report is due again later."""
        if self._reporting:
            self._reported += self._reporting if written else 0
            self._reporting = 0
        elif not written:
            self._drop(chunk.count(b"\n"))

    def _await_lines(self) -> None:
        """Return once there is something to write; see Note [Lines are gathered]."""
        with self._changed:
            if self._has_work():
                return
            while not self._has_work():
                self._changed.wait()
        self._hurry.wait(GATHER_SECONDS)

    def _has_work(self) -> bool:
        return bool(self._lines or self._closed or self._report_is_due())

    def _next_chunk(self) -> bytes:
        """Return some lines, at most PIPE_BUF bytes unless one line is longer.

        Empty when the handler is closed and all is written.
        """
        with self._changed:
            self._writing = True
            if self._report_is_due():
                return self._report()
            chunk = []
            size = 0
            while self._lines and (not size or size + len(self._lines[0]) <= select.PIPE_BUF):
                chunk.append(self._lines.popleft())
                size += len(chunk[-1])
            self._waiting_bytes -= size
            return b"".join(chunk)

    def _report_is_due(self) -> bool:
        relieved = self._flowing and self._waiting_bytes <= self.queue_bytes // 2
        return relieved and self.dropped > self._reported

    def _report(self) -> bytes:
        failure, self._failure = self._failure, None
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, "Log lines dropped", (), failure)
        record.lines_dropped = missing = self._reporting = self.dropped - self._reported
        try:
            return self.format(record).encode("utf-8", "replace") + b"\n"
        except Exception:
            # The writer must not end over it, and it cannot log: one plain line tells the number and both tracebacks.
            told = {
                "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
                "level": record.levelname,
                "logger": record.name,
                "message": record.msg,
                "lines_dropped": missing,
                "exception": "".join(_places(each) for each in (failure, sys.exc_info()) if each),
            }
            return json.dumps(told).encode() + b"\n"


def _places(failure: Any) -> str:
    """Return what kind of failure it was and where; not what it says, from which nobody has cut the secrets."""
    kind, _, trace = failure
    return "".join([*traceback.format_tb(trace), f"{kind.__name__}\n"])


def _write_whole(descriptor: int, chunk: bytes) -> bool:
    """Write all of it, waiting as long as it takes; return False when the descriptor refuses it."""
    rest = memoryview(chunk)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLOUT)
            waiting.poll()
        except OSError:
            return False
    return True


def write_to_standard_error() -> None:
    """Let handlers that are made from now on write there, because standard output is to hold an answer alone."""
    global _usual_output
    _usual_output = sys.__stderr__


_usual_output = sys.__stdout__


def _descriptor() -> int:
    """Return that of the usual output, or one that is never open when the process was started without."""
    return _usual_output.fileno() if _usual_output else -1


HANDLERS: "weakref.WeakSet[NonBlockingHandler]" = weakref.WeakSet()


def _start_child_empty() -> None:
    for handler in list(HANDLERS):
        handler.start_empty()


os.register_at_fork(after_in_child=_start_child_empty)
