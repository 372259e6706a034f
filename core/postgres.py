"""Connections to PostgreSQL that give up, for settings.

# Note [A frozen server says nothing]
A server that is stopped, or whose machine hangs, refuses nothing: connections stay open and no answer comes. What
limits a query there (`statement_timeout`) is asleep with it, and the kernel confirms what is sent, so TCP notices
nothing either. So the client has a limit for every answer: PING_S for the question with which the pool finds out
whether a connection still works, at each request, and LONGEST_S, behind the server's own limit, for all others. What
was not answered is closed, because nobody knows what the server did with it.

# Note [Back with the next request]
A pool waits longer and longer before it connects again, up to minutes. With RECONNECT_S 0 it gives up at once instead,
and the next request that needs a connection tries anew.
"""

from typing import Any

import psycopg

STATEMENT_S = 30
LONGEST_S = STATEMENT_S + 5
PING_S = 1
POOL_S = 2
CONNECT_S = 3
RECONNECT_S = 0
PING = ""


class PatientConnection(psycopg.Connection[Any]):
    """psycopg's connection, which raises OperationalError when an answer takes too long; see the Notes."""

    longest_s: float = LONGEST_S

    def execute(self, query: Any, *arguments: Any, **options: Any) -> psycopg.Cursor[Any]:
        """Ask; the pool's empty question has PING_S."""
        if query != PING:
            return super().execute(query, *arguments, **options)
        self.longest_s = PING_S
        try:
            return super().execute(query, *arguments, **options)
        finally:
            self.longest_s = LONGEST_S

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, at most `longest_s`."""
        try:
            return super().wait(gen, interval, timeout=self.longest_s if timeout is None else timeout)
        except psycopg.errors._WaitTimeout as error:
            if timeout is not None:
                raise
            self.close()
            raise psycopg.OperationalError(f"The database did not answer within {self.longest_s} s.") from error


def postgres_options() -> dict[str, Any]:
    """Return what settings put into DATABASES' OPTIONS."""
    return {
        "pool": {
            "min_size": 1,
            "max_size": 10,
            "timeout": POOL_S,
            "reconnect_timeout": RECONNECT_S,
            "connection_class": PatientConnection,
        },
        "connect_timeout": CONNECT_S,
        "options": f"-c statement_timeout={STATEMENT_S}s",
    }
