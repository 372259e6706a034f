"""gunicorn's threaded worker, whose event loop reads the heads of requests and answers health itself.

# Note [The loop that never waits]
gthread hands every connection to a thread before a byte of it was read, so twenty slow uploads, or clients that
connect and send nothing, silence health on 2 x 8 threads, and a supervisor restarts a server that is only busy.
Here a connection stays with the event loop until the head of its request is whole. Health is then answered from
memory; everything else goes to a thread with the bytes read so far. So no thread ever waits for a head, and a head
that is not whole in HEAD_SECONDS ends its connection. The loop must not wait, either: gunicorn's graceful close, up
to two seconds of it, is done by the poller, too.

A head is answered here only when its bytes are beyond doubt (core/health_head.py: plain HTTP/1, the path literally,
no body); what is doubtful gets gunicorn's own parser and, behind it, `health_first`, which answers the same under any
server. A request whose client has left while it waited for a thread is not run: a site that is asked for more than it
can do would else work for those who gave up, and answer nobody. How it stops: core/draining.py. This stands on parts
of gthread that are no public interface: gunicorn.conf.py takes plain gthread for another series of gunicorn, and a
test compares every part with the source that was read.
"""

import socket
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ
from typing import Any

from django.conf import settings
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn

from core.body import is_left_unread
from core.gunicorn_draining import DrainingWorker
from core.health import HealthAnswer
from core.health_head import TOO_LONG, HealthHead, written

HEAD_SECONDS = 10.0
# Whoever says that nothing more comes may still read; after this wait they are taken for gone, as proxies do at once.
PATIENT_SECONDS = 1.0
HEAD_BYTES = 64 * 1024
READ_BYTES = 8192
# A time-out set so lately stays: on a busy connection, setting it at every request would be a tenth of the work.
FRESH_SECONDS = 1.0
# What a client may still send after our last answer; more ends the connection hard, as gunicorn does.
UNWANTED_BYTES = 64 * 1024
NOT_YET = (BlockingIOError, ConnectionAbortedError)


class Connection(TConn):
    """A connection with the bytes of it that no thread has; `queue` is None while a thread has it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.early = b""
        self.queue: deque | None = None
        self.handed_over_at = 0.0
        self.unwanted_bytes: int | None = None  # a number from when we hang up


class HealthWorker(DrainingWorker):
    """See Note [The loop that never waits]; plain HTTP/1 only."""

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Stop the start by RuntimeError, which gunicorn prints, when the loop could not read requests."""
        super().check_config(cfg, log)
        if cfg.is_ssl or cfg.http2_cleartext != "off":
            raise RuntimeError("TLS and HTTP/2 end at the proxy, or need --worker-class gthread.")

    def load_wsgi(self) -> None:
        """Load the site, and with its settings make the health answer ready."""
        super().load_wsgi()
        self.health = HealthAnswer(version=settings.VERSION, environment=settings.ENVIRONMENT)

    def set_accept_enabled(self, enabled: bool) -> None:
        """As gthread; a worker that stops takes what waits in the listen queue, and listens no more."""
        super().set_accept_enabled(enabled)
        for listener in [] if self.alive else self.sockets:
            while self.nr_conns < self.worker_connections and self.accept(listener):
                pass
            listener.close()

    def accept(self, listener: socket.socket) -> bool:
        """Take a connection into the loop; return whether there was one."""
        try:
            client, address = listener.accept()
        except NOT_YET:
            return False
        self.nr_conns += 1
        conn = Connection(self.cfg, client, address, listener.getsockname())
        self._poll(conn, self.pending_conns, HEAD_SECONDS)
        self._on_readable(conn, client)  # often the request has come already
        return True

    def handle(self, conn: Connection) -> Any:
        """Run the request of a connection, in a thread, unless its client gave up while it waited for one."""
        if time.monotonic() - conn.handed_over_at > PATIENT_SECONDS and has_left(conn.sock):
            self.log.debug("Not run: the client left while its request waited")
            return False
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Answer a request; who still sends a body that nobody reads hears `Connection: close`, and may stop."""
        has_to_close = req.should_close
        req.should_close = lambda: has_to_close() or is_left_unread(req.body)
        return super().handle_request(req, conn)

    def finish_request(self, conn: Connection, fs: Future) -> None:
        """Take a connection back from its thread, with the start of a next request when it has one."""
        kept = not fs.cancelled() and not fs.exception() and fs.result()
        if not kept:
            self._hang_up(conn)
            return
        conn.sock.setblocking(False)
        self._feed(conn, conn.parser.unreader.take_buffered())

    def _cap_keepalive(self, deadline: float) -> None:
        """When stopping, do not wait long for those who only might send a request, either."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def _poll(self, conn: Connection, queue: deque, seconds: float) -> None:
        """Let the loop watch a connection, at most so long; each queue stays sorted by its time-outs."""
        now = time.monotonic()
        if conn.queue is queue and conn.timeout - now > seconds - FRESH_SECONDS:
            return
        if conn.queue is None:
            self.poller.register(conn.sock, EVENT_READ, partial(self._on_readable, conn))
        else:
            conn.queue.remove(conn)
        conn.timeout = now + (seconds if self.alive else min(seconds, STOP_KEEPALIVE_LINGER))
        conn.queue = queue
        queue.append(conn)

    def _release(self, conn: Connection) -> None:
        if conn.queue is not None:
            self.poller.unregister(conn.sock)
            conn.queue.remove(conn)
            conn.queue = None

    def _on_readable(self, conn: Connection, _client: socket.socket) -> None:
        try:
            received = conn.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if conn.unwanted_bytes is not None:
            conn.unwanted_bytes += len(received)
        if not received or (conn.unwanted_bytes or 0) > UNWANTED_BYTES:
            self._close(conn)
        elif conn.unwanted_bytes is None:
            self._feed(conn, received)

    def _feed(self, conn: Connection, received: bytes) -> None:
        """Answer health, as often as it is asked; leave anything else to a thread once its head is whole."""
        conn.early += received
        while b"\r\n\r\n" in conn.early:
            asked = HealthHead.read(conn.early)
            if not asked:
                self._hand_over(conn)
                return
            conn.early = conn.early[asked.length :]
            if not self._answer(conn, asked):
                self._hang_up(conn)
                return
        if len(conn.early) > HEAD_BYTES:
            self._send(conn, TOO_LONG)
            self._hang_up(conn)
        elif not conn.early:
            self._poll(conn, self.keepalived_conns, self.cfg.keepalive)
        elif conn.queue is not self.pending_conns:
            self._poll(conn, self.pending_conns, HEAD_SECONDS)

    def _answer(self, conn: Connection, asked: HealthHead) -> bool:
        """Send the answer to a whole head; return whether the connection stays open."""
        room = len(self.keepalived_conns) < self.max_keepalived
        kept = bool(asked.keeps and self.alive and self.cfg.keepalive and room)
        return self._send(conn, written(asked, *self.health.answer(asked.method, time.perf_counter()), kept)) and kept

    def _send(self, conn: Connection, answer: bytes) -> bool:
        """Return whether the socket took it all; one that does not has a client that reads nothing."""
        try:
            return conn.sock.send(answer) == len(answer)
        except OSError:
            return False

    def _hand_over(self, conn: Connection) -> None:
        self._release(conn)
        conn.init()
        conn.parser.unreader.unread(conn.early)
        conn.early = b""
        conn.handed_over_at = time.monotonic()
        self.enqueue_req(conn)

    def _hang_up(self, conn: Connection) -> None:
        """Say that nothing more comes, and wait in the loop until the client closes, too (RFC 9112 section 9.6)."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.early, conn.unwanted_bytes = b"", 0
        self._poll(conn, self.pending_conns, HEAD_SECONDS)

    def _close(self, conn: Connection) -> None:
        self._release(conn)
        self.nr_conns -= 1
        conn.close()


def has_left(client: socket.socket) -> bool:
    """Return whether nothing more comes from the client; False while bytes of theirs lie unread."""
    try:
        return not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
