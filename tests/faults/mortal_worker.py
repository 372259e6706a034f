"""Runs commands of manage.py, each in a process of its own that kills itself at one of its steps.

Every line of standard input is two numbers and a command: `2 3 worker --batch` is killed at the third step of the
second task that it claims, `0 0 worker --batch` is not. The answer is a line too: `killed before STEP`, or
`ended STATUS`. Steps are what changes the database or a folder on the main thread: commits, files synced, renamed,
linked, or removed, folders made or removed, and a child started.
A process forked from one that is set up begins its work at once, so that a test can afford to kill it at each step.
"""

import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
from typing import Any

import django
from django.core.management import execute_from_command_line
from django.db.backends.signals import connection_created

_CHANGES = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.chmod"}
_CLAIM = 'UPDATE "django_tasks_database_dbtaskresult"'


class Fate:
    """Counts the steps of this process since it claimed a task and ends it at one of them."""

    def __init__(self, claim: int, step: int, answers: int) -> None:
        self._left, self._last, self._answers, self._count = claim, step, answers, 0

    def claim(self) -> None:
        """Note that the process is about to claim a task."""
        self._left -= 1

    def step(self, name: str) -> None:
        """Note that the process is about to do this."""
        if self._left != 0 or threading.current_thread() is not threading.main_thread():
            return
        self._count += 1
        if self._count == self._last:
            os.write(self._answers, f"killed before {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def watch(fate: Fate) -> None:
    """Have every step of this process told to `fate`."""
    sync, popen = os.fsync, subprocess.Popen

    def told_sync(descriptor: int) -> None:
        fate.step("fsync")
        sync(descriptor)

    class ToldPopen(popen):  # type: ignore[misc,valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            fate.step("starting a child")
            super().__init__(*arguments, **options)
            fate.step("listening to the child")

    def told(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGES:
            fate.step(event.removeprefix("os."))

    os.fsync, subprocess.Popen = told_sync, ToldPopen  # type: ignore[misc]
    sys.addaudithook(told)
    connection_created.connect(lambda connection, **_: _trace(connection.connection, fate), weak=False)


def _trace(database: sqlite3.Connection, fate: Fate) -> None:
    def told(statement: str) -> None:
        if statement.startswith(_CLAIM):
            fate.claim()
        if statement.startswith("COMMIT"):
            fate.step("commit")
        elif not database.in_transaction and statement.startswith(("INSERT", "UPDATE", "DELETE")):
            fate.step(" ".join(statement.split()[:3]))

    database.set_trace_callback(told)


def main() -> None:
    """Do what standard input says until it ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "practika_project.settings")
    django.setup()
    from core.worker import PractikaWorker  # noqa: F401 (imported once, for all)

    answers = os.dup(1)
    os.dup2(2, 1)  # where the log goes
    for line in sys.stdin:
        claim, step, *command = shlex.split(line)
        pid = os.fork()
        if pid == 0:
            watch(Fate(int(claim) or -1, int(step), answers))
            execute_from_command_line(["manage.py", *command])
            sys.exit()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status != -signal.SIGKILL:
            os.write(answers, f"ended {status}\n".encode())


if __name__ == "__main__":
    main()
