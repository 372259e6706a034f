"""A server's door, closed so that nobody who came through is sent away (Note [A door that closes on nobody])."""

import contextlib
import errno
import os
import select
import socket
import sys

import pytest

from core.draining import ignore_new_connections

SO_LOCK_FILTER = 44  # asm/socket.h


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the filter is Linux's")
def test_who_came_before_is_served_and_who_comes_after_is_refused_before_sending_anything(caplog):
    caplog.set_level("INFO")
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        early = stack.enter_context(socket.create_connection(listener.getsockname(), timeout=30))
        ignore_new_connections(listener)
        if os.geteuid() != 0 and caplog.records:
            pytest.skip("this kernel grants the filter to root alone")
        late = stack.enter_context(socket.socket())
        late.setblocking(False)
        assert late.connect_ex(listener.getsockname()) == errno.EINPROGRESS  # nobody answers
        early.sendall(b"hello")
        accepted = stack.enter_context(listener.accept()[0])
        assert accepted.recv(5) == b"hello"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        listener.close()
        assert select.select([], [late], [], 30)[1]
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
        accepted.sendall(b"bye")
        assert early.recv(3) == b"bye"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the filter is Linux's")
def test_where_the_kernel_grants_no_filter_the_door_stays_open_until_it_is_closed(caplog):
    caplog.set_level("INFO")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, 1)  # from now on each is refused with EPERM
        ignore_new_connections(listener)
        with socket.create_connection(listener.getsockname(), timeout=30):
            listener.accept()[0].close()
    (told,) = caplog.records
    assert told.message == "New connections cannot be held back"
    assert os.strerror(errno.EPERM) in told.reason
