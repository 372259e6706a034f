"""A completion killed at each of its steps, or told that the disk has an error there, is finished by the next call.

The steps are the system calls that change what is on the disk, of the upload's files, and of the database where it
waits for the disk; strace (Linux) lets the n-th of them kill the process or fail, until there is no n-th.
"""

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.site import Site, until
from tests.functional.test_server import ROOT

LEAST_STEPS = 4
DONE = {"signal=KILL": "killed by SIGKILL", "error=EIO": "(INJECTED)"}  # what strace says of it
CHANGES = "rename,renameat,renameat2,fsync,fdatasync,ftruncate,unlink,unlinkat,rmdir,mkdir,mkdirat"
LOOK = """
SELECT u.state, u.storage_path, count(DISTINCT v.id), count(j.id) FROM core_upload u
LEFT JOIN core_videoasset v ON v.storage_path = u.storage_path LEFT JOIN core_processingjob j ON j.video_id = v.id
WHERE u.client_token = ? GROUP BY u.id
"""


class Completions:
    """The uploads of a site that `tests.faults.completing` ends."""

    def __init__(self, site: Site, clip: Path) -> None:
        self.site = site
        with (site.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.completing", str(clip)], cwd=ROOT, env=site.env, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def complete(self, token: str) -> int:
        """Complete an upload; return how its process ended."""
        os.kill(self._begun(token), signal.SIGCONT)
        return self._answer()

    def fail(self, token: str, fault: str, step: int) -> bool:
        """Complete an upload that has the fault at this of its steps; return whether there was such a step."""
        inject = ["-e", f"trace={CHANGES}", "-e", f"inject={CHANGES}:{fault}:when={step}"]
        said = self.site.folder / "strace"
        pid = self._begun(token)
        with said.open("wb") as log, subprocess.Popen(["strace", "-f", "-p", str(pid), *inject], stderr=log):
            until(lambda: "attached" in said.read_text(), 30)
            os.kill(pid, signal.SIGCONT)
            self._answer()
        return DONE[fault] in said.read_text()

    def look(self, token: str) -> tuple[str, Path, int, int]:
        """Return an upload's state, where its video lies or will lie, and how many videos and jobs there are of it."""
        with closing(sqlite3.connect(self.site.folder / "db.sqlite3", timeout=10)) as database:
            ((state, path, videos, jobs),) = database.execute(LOOK, [token]).fetchall()
        return state, self.site.media / path, videos, jobs

    def _begun(self, token: str) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(token + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def completions(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[Completions]:
    made = Completions(prepared_site.copied_to(tmp_path_factory.mktemp("killed"), {}), clip)
    yield made
    made.process.communicate(timeout=30)


@pytest.mark.skipif(not (shutil.which("strace") or os.environ.get("CI") == "true"), reason="strace is not installed")
@pytest.mark.parametrize("fault", DONE)
def test_a_completion_that_ends_at_any_step_is_finished_by_the_next_call(fault, completions: Completions, clip: Path):
    digest = hashlib.sha256(clip.read_bytes()).hexdigest()
    steps = 0
    while completions.fail(token := f"{fault}-{steps:04}", fault, steps + 1):
        steps += 1
        state, file, videos, jobs = completions.look(token)
        assert (state, videos, jobs) in {("open", 0, 0), ("completing", 0, 0), ("complete", 1, 1)}
        assert state != "complete" or hashlib.sha256(file.read_bytes()).hexdigest() == digest
        assert completions.complete(token) == 0
        assert completions.look(token) == ("complete", file, 1, 1)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    assert steps >= LEAST_STEPS
    assert list((completions.site.media / "uploads").rglob("video")) == []
