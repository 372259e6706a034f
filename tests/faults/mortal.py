"""Sites whose workers are killed, and what they keep: rows, and bytes (see `tests.faults.mortal_worker`)."""

import contextlib
import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg

from tests.faults.site import Site
from tests.functional.test_server import ROOT

EVERY_STEP = "-"
#: Where each step takes longer: what others see of it.
SEEN_BY_OTHERS = "commit,INSERT,UPDATE,DELETE,PUT"


class LocalSite:
    """A site on SQLite and local files; `counted` are the steps at which its workers die, at least `fewest` a job."""

    counted, fewest = EVERY_STEP, 16

    def __init__(self, site: Site) -> None:
        self.site = site

    def rows(self, statement: str) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(self.site.folder / "db.sqlite3")) as database, database:
            return database.execute(statement).fetchall()

    def stored(self) -> dict[str, str]:
        """Return the digest of every file, by its key."""
        files = (path for path in (self.site.media / "videos").rglob("*") if path.is_file())
        return {str(path.relative_to(self.site.media)): digest(path.read_bytes()) for path in files}


class CloudSite:
    """A site on PostgreSQL and a bucket of S3."""

    counted, fewest = SEEN_BY_OTHERS, 6

    def __init__(self, site: Site, bucket: Any) -> None:
        self.site, self._bucket = site, bucket

    def rows(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.site.variables["DATABASE_URL"], autocommit=True) as database:
            done = database.execute(statement)
            return done.fetchall() if done.description else []

    def stored(self) -> dict[str, str]:
        """Return the digest of every object, by its key."""
        return {found.key: digest(found.get()["Body"].read()) for found in self._bucket.objects.all()}


@contextlib.contextmanager
def mortal(site: Site) -> Iterator[subprocess.Popen[str]]:
    """Run what runs the commands of a site that may be killed."""
    with (site.folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.mortal_worker"], cwd=ROOT, env=site.env, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        with process:
            yield process
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0


def told(process: subprocess.Popen[str], command: str) -> str:
    """Return how a command ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{command}\n")
    return process.stdout.readline().strip()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
