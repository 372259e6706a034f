"""A worker killed at any step of a video's work is followed by one that finishes it, and nothing is left over.

The steps are found by counting (see `tests.faults.mortal_worker`). In round n one worker dies at the n-th step of the
check of a new video, the next one at the n-th of its web version, a third at the n-th of its thumbnails, and a fourth
ends what is left; so it goes on until no job has an n-th step.
"""

import contextlib
import hashlib
import os
import select
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.site import Site
from tests.functional.test_server import ROOT

# A video that came in parts and waits for its check; it needs another container, since it says where it was filmed.
STORE = """
import hashlib
from pathlib import Path
from accounts.models import Classroom
from core.media.clips import write_clip
from tests import factories
film = write_clip(Path(FOLDER) / "film.mp4", seconds=0.2, size=(64, 64), audio_codec=None, index="end",
                  metadata={"location": "+48.8577+002.2950/"})
digest = hashlib.sha256(film.read_bytes()).hexdigest()
factories.uploaded(factories.person("Zoe"), Classroom.objects.create(name="Killed"), film, expected_sha256=digest)
"""
TIME_PASSES = [
    "UPDATE core_processingjob SET lease_ends_at = '2020-01-01' WHERE state = 'running'",
    "UPDATE django_tasks_database_dbtaskresult SET started_at = '2020-01-01' WHERE status = 'RUNNING'",
    "UPDATE core_storagedeletion SET requested_at = '2020-01-01'",
]
NAMED = """
SELECT storage_path, checksum_sha256 FROM core_rendition
UNION SELECT storage_path, checksum_sha256 FROM core_videoasset WHERE state = 'ready'
"""
#: Rounds are shared out among as many tests, for several processors and so that none takes long.
SHARES = 3
KINDS = ["verify", "web", "thumbnails"]  # as they are done one after the other
EVERYTHING = {
    "SELECT state FROM core_videoasset": [("ready",)],
    "SELECT kind, state, tries < 3 FROM core_processingjob ORDER BY kind": [
        ("thumbnails", "done", 1),
        ("verify", "done", 1),
        ("web", "done", 1),
    ],
    "SELECT kind FROM core_rendition ORDER BY kind": [("poster",), ("sprite",), ("vtt",), ("web",)],
    "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'READY'": [(0,)],
    "SELECT count(*) FROM core_storagedeletion": [(0,)],
}


@pytest.fixture(scope="module")
def unprepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a site with one video that waits for everything."""
    site = Site(tmp_path_factory.mktemp("unprepared"))
    site.run("migrate", "--verbosity", "0")
    site.shell(f"FOLDER = {str(site.folder)!r}\n{STORE}")
    return site.folder


@contextlib.contextmanager
def mortal(site: Site) -> Iterator[subprocess.Popen[str]]:
    with (site.folder.parent / "log").open("ab") as log:
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
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{command}\n")
    return process.stdout.readline().strip()


def wait_for_the_children_of(folder: Path) -> None:
    """Wait until no process works in the folder any more."""
    for place in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if folder in place.readlink().parents:
                handle = os.pidfd_open(int(place.parent.name))
                assert select.select([handle], [], [], 20)[0], "a child lives on"
                os.close(handle)


def site_rows(site: Site, statement: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(site.folder / "db.sqlite3")) as database, database:
        return database.execute(statement).fetchall()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks at processes through /proc, which is Linux")
@pytest.mark.parametrize("first", range(1, SHARES + 1))
def test_a_worker_killed_at_any_step_is_followed_by_one_that_finishes_the_video(first, unprepared, tmp_path):
    site, kinds, step = Site(tmp_path / "site"), list(KINDS), first
    with mortal(site) as process:
        while kinds:
            shutil.rmtree(site.folder, ignore_errors=True)
            shutil.copytree(unprepared, site.folder)
            outlived = kill_one_after_the_other(process, site, kinds, step)
            if outlived:
                kinds.remove(outlived)
            else:
                assert told(process, "0 0 worker --batch") == "ended 0", step
                step += SHARES
            assert told(process, "0 0 prune_uploads") == "ended 0", step
            assert_prepared_once(site, f"step {step}")
    assert step > 15, "few steps were found: the worker is not watched"


def kill_one_after_the_other(process: subprocess.Popen[str], site: Site, kinds: list[str], step: int) -> str:
    """Kill workers at this step of each kind of job; return the kind that has no such step, if one has none."""
    for kind in kinds:
        done = [found for (found,) in site_rows(site, "SELECT kind FROM core_processingjob WHERE state = 'done'")]
        claim = 1 + len(set(KINDS[: KINDS.index(kind)]) - set(done))
        end = told(process, f"{claim} {step} worker --batch")
        if end == "ended 0":
            return kind
        assert end.startswith("killed before "), end
        wait_for_the_children_of(site.folder)
        for path, checksum in site_rows(site, NAMED):
            assert digest(site.media / path) == checksum, f"{end} of {kind}"
        for passing in TIME_PASSES:
            site_rows(site, passing)
    return ""


def assert_prepared_once(site: Site, when: str) -> None:
    for query, rows in EVERYTHING.items():
        assert site_rows(site, query) == rows, when
    named = {site.media / path: checksum for path, checksum in site_rows(site, NAMED)}
    left = [*(site.media / "videos").rglob("*"), *(site.media / "incoming").iterdir()]
    assert {path for path in left if path.is_file() or path.parent.name == "incoming"} == set(named), when
    assert all(digest(path) == checksum for path, checksum in named.items()), when
