"""Runs commands of manage.py, each in a process of its own that kills itself at one of its steps.

Every line of standard input is a number, the steps that count, and a command: `3 commit,PUT worker --batch` is killed
before the third commit or PUT since it began to claim a task; with `-` all steps count, and `0` kills nobody. The
answer is a line too: `killed before STEP`, `outlived` when the task had fewer steps (killed before it takes another),
or `ended STATUS`. Steps are what changes the database, the bucket, or a folder: commits, requests, files synced,
renamed, linked, or removed, folders made or removed, and a child started. What other threads do beside is no step.
A process forked from one that is set up begins its work at once, so that a test can afford to kill it at each step.
"""

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_CHANGES = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.chmod"}
_WRITES = ("INSERT", "UPDATE", "DELETE")
_REQUESTS = (b"PUT ", b"POST ", b"DELETE ")
_PROGRESS = 'UPDATE "core_processingjob"'  # whether it is told depends on the clock
_TASKS = 'UPDATE "django_tasks_database_dbtaskresult"'
_AT_WORK = ("MainThread", "ThreadPoolExecutor")  # the latter put things into the bucket


class Fate:
    """Counts the steps of this process since it claimed a task and ends it at one of them."""

    def __init__(self, step: int, counted: str, answers: int) -> None:
        self._last, self._answers, self._count, self._has_begun = step, answers, 0, False
        self._counted = () if counted == "-" else tuple(counted.split(","))

    def step(self, name: str) -> None:
        """Note that the process is about to do this."""
        is_work = threading.current_thread().name.startswith(_AT_WORK)
        if self._has_begun and is_work and name.startswith(self._counted or name):
            self._count += 1
            if self._count == self._last:
                self._end(f"killed before {name}")

    def outlive(self, **_: Any) -> None:
        """Note that the task has ended."""
        if self._last:
            self._end("outlived")

    def watch(self, connection: BaseDatabaseWrapper) -> None:
        """Have what the connection is asked told to this; once, however often it connects."""
        if self._ask not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._ask)

    def _ask(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql == "COMMIT":  # django-tasks says so itself where it takes a task from SQLite
            self.step("commit")
        elif sql.startswith(_WRITES) and not sql.startswith(_PROGRESS) and not context["connection"].in_atomic_block:
            self.step(" ".join(sql.split()[:3]))
        if sql.startswith(_TASKS):
            self._has_begun = True
        return execute(sql, params, many, context)

    def _end(self, answer: str) -> None:
        os.write(self._answers, f"{answer}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()  # a thread other than the one that the signal finds first


def watch(fate: Fate) -> None:
    """Have every step of this process told to `fate`."""
    from django_tasks.signals import task_finished

    sync, popen, commit = os.fsync, subprocess.Popen, BaseDatabaseWrapper.commit

    def told_sync(descriptor: int) -> None:
        fate.step("fsync")
        sync(descriptor)

    def told_commit(connection: BaseDatabaseWrapper) -> None:
        fate.step("commit")
        commit(connection)

    class ToldPopen(popen):  # type: ignore[misc,valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            fate.step("starting a child")
            super().__init__(*arguments, **options)
            fate.step("listening to the child")

    def told(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGES:
            fate.step(event.removeprefix("os."))
        elif event == "http.client.send" and isinstance(arguments[1], bytes) and arguments[1].startswith(_REQUESTS):
            fate.step(arguments[1].split(b" ")[0].decode())

    os.fsync, subprocess.Popen, BaseDatabaseWrapper.commit = told_sync, ToldPopen, told_commit  # type: ignore
    sys.addaudithook(told)
    task_finished.connect(fate.outlive, weak=False)
    connection_created.connect(lambda connection, **_: fate.watch(connection), weak=False)


def main() -> None:
    """Do what standard input says until it ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "practika_project.settings")
    django.setup()
    from core.worker import PractikaWorker  # noqa: F401 (imported once, for all)

    if settings.USE_S3:
        default_storage.client  # noqa: B018 (the vendor's library reads its own descriptions for long)
    answers = os.dup(1)
    os.dup2(2, 1)  # where the log goes
    for line in sys.stdin:
        step, counted, *command = shlex.split(line)
        pid = os.fork()
        if pid == 0:
            watch(Fate(int(step), counted, answers))
            call_command(*command)  # which leaves out the checks that manage.py begins with
            os._exit(0)  # taking everything down again would take longer than the command
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status != -signal.SIGKILL:
            os.write(answers, f"ended {status}\n".encode())


if __name__ == "__main__":
    main()
