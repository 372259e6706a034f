"""Whether this server is about to stop, told to every process of it at once.

# Note [Stopping so that nobody meets a closed door]
A load balancer goes on sending people to a server for as long as it has not asked about readiness again. So a server
that is told to stop (SIGTERM) first only says so: `/core/ready/` answers 503 at once, while everything, new
connections too, is served for DRAIN_SECONDS. Then it listens no more, ends what runs, and exits. Answers close their
connections meanwhile, so that a proxy does not choose one of ours at the moment it ends.

The word is one byte of memory that gunicorn's master shares with the workers it forks: all of them know in the same
instant, and a worker that is merely replaced (SIGHUP, TTOU) is told nothing, because another one serves.

# Note [A door that closes on nobody]
Closing a listening socket resets whoever had just come through and was not yet accepted; their request may be half
sent, and no proxy repeats a POST. So the kernel is first told to drop the packets that begin a connection (a filter
on the socket, socket(7) SO_ATTACH_FILTER). Those on their way in are accepted, and then it is closed. Whoever knocked
meanwhile knocks again, a second later (RFC 6298 section 2), and is refused before a byte of a request was sent: then
every proxy asks another server. Systems without such filters close as others do.
"""

import ctypes
import logging
import mmap
import signal
import socket
import struct
import sys
from types import FrameType

logger = logging.getLogger(__name__)

_told = mmap.mmap(-1, 1)

SO_ATTACH_FILTER = 26
# code, jump if true, jump if false, operand (linux/filter.h); a socket's filter sees TCP packets from their TCP header.
_NO_NEW_CONNECTIONS = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone begins a connection:
    (0x06, 0, 0, 0),  # drop it,
    (0x06, 0, 0, 0xFFFFFFFF),  # and take everything else
)


def is_draining() -> bool:
    """Return whether the whole server was told to stop."""
    return _told[0] == 1


def begin_draining() -> None:
    """Tell every process that was forked since this module was imported."""
    _told[0] = 1


def drain_at_sigterm() -> None:
    """Let SIGTERM begin it, before what the process does at SIGTERM anyway; for gunicorn's master."""
    handled = signal.getsignal(signal.SIGTERM)

    def told_to_stop(number: int, frame: FrameType | None) -> None:
        begin_draining()
        if callable(handled):
            handled(number, frame)

    signal.signal(signal.SIGTERM, told_to_stop)


def ignore_new_connections(listener: socket.socket) -> None:
    """Let the kernel drop what begins a connection; see Note [A door that closes on nobody]."""
    if not sys.platform.startswith("linux"):
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in _NO_NEW_CONNECTIONS))
    described = struct.pack("HP", len(_NO_NEW_CONNECTIONS), ctypes.addressof(program))
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)
    except OSError as error:
        logger.info("New connections cannot be held back", extra={"reason": str(error)})
