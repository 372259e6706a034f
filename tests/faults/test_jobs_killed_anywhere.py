"""A worker killed at any step of a video's work leaves nothing that is not swept, and the next one goes further.

The steps are found by counting (see `tests.faults.mortal_worker`). The first worker dies at the first step of the check
of a new video, the one after it at the second step of a check, and so on until a check has no such step; then the same
with the web versions and the thumbnails. A killed worker's job comes back and is done again, or killed once more.
"""

import contextlib
import os
import select
import shlex
import subprocess
from pathlib import Path

import pytest
from django.db import connection

from tests.faults.mortal import CloudSite, LocalSite, mortal, told
from tests.faults.site import Site
from tests.functional.test_server import OURS

# A worker killed after its job was done leaves the steps behind that one for the next video.
VIDEOS = 3
# They came in parts and wait for their check; they need another container, since they say where they were filmed.
STORE = """
import hashlib
from pathlib import Path
from accounts.models import Classroom
from core.media.clips import write_clip
from tests import factories
film = write_clip(Path(FOLDER) / "film.mp4", seconds=0.2, size=(64, 64), audio_codec=None, index="end",
                  metadata={"location": "+48.8577+002.2950/"})
digest = hashlib.sha256(film.read_bytes()).hexdigest()
zoe, killed = factories.person("Zoe"), Classroom.objects.create(name="Killed")
for _ in range(VIDEOS):
    factories.uploaded(zoe, killed, film, expected_sha256=digest)
"""
TIME_PASSES = [
    "UPDATE core_processingjob SET lease_ends_at = '2020-01-01' WHERE state = 'running'",
    "UPDATE django_tasks_database_dbtaskresult SET started_at = '2020-01-01' WHERE status = 'RUNNING'",
    "UPDATE core_storagedeletion SET requested_at = '2020-01-01'",
]
SOMEBODY_TRIES_AGAIN = "UPDATE core_processingjob SET tries = 0"
SWEEP = [
    "from django.utils import timezone",
    "from core.services.processing import reap_jobs",
    "from core.services.pruning import prune_uploads",
    "reap_jobs()",
    "prune_uploads(now=timezone.now())",
]
NAMED = """
SELECT storage_path, checksum_sha256 FROM core_rendition
UNION SELECT storage_path, checksum_sha256 FROM core_videoasset
"""
KINDS = ["verify", "web", "thumbnails"]  # as they are done one after the other
OUTLIVED = "outlived"
EVERYTHING = {
    "SELECT state, count(*) FROM core_videoasset GROUP BY 1": [("ready", VIDEOS)],
    "SELECT kind, state, count(*) FROM core_processingjob GROUP BY 1, 2 ORDER BY 1": [
        ("thumbnails", "done", VIDEOS),
        ("verify", "done", VIDEOS),
        ("web", "done", VIDEOS),
    ],
    "SELECT kind, count(*) FROM core_rendition GROUP BY 1 ORDER BY 1": [
        ("poster", VIDEOS),
        ("sprite", VIDEOS),
        ("vtt", VIDEOS),
        ("web", VIDEOS),
    ],
    "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'READY'": [(0,)],
}
LINUX = Path("/proc/self/cwd").exists()
pytestmark = pytest.mark.skipif(not LINUX, reason="looks at processes through /proc, which is Linux")


def wait_for_the_children_of(folder: Path) -> None:
    """Wait until no process works in the folder any more."""
    for place in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if folder in place.readlink().parents:
                handle = os.pidfd_open(int(place.parent.name))
                assert select.select([handle], [], [], 20)[0], "a child lives on"
                os.close(handle)


@pytest.mark.one_stack("development", why="is about SQLite and local files")
def test_a_worker_killed_at_any_step_is_followed_by_one_that_goes_further(prepared_site, tmp_path):
    assert_each_step_may_be_the_last(LocalSite(prepared_site.copied_to(tmp_path, {})))


@pytest.mark.one_stack("production", why="is about PostgreSQL and S3")
@pytest.mark.django_db(transaction=True)
def test_so_it_is_with_a_bucket_and_postgresql(production_bucket, tmp_path):
    variables = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    server = variables["DATABASE_URL"].rpartition("/")[0]
    variables["DATABASE_URL"] = f"{server}/{connection.settings_dict['NAME']}"
    variables["AWS_STORAGE_BUCKET_NAME"] = production_bucket.name
    assert_each_step_may_be_the_last(CloudSite(Site(tmp_path, variables), production_bucket))


def assert_each_step_may_be_the_last(kept: LocalSite | CloudSite) -> None:
    kept.site.shell(f"FOLDER, VIDEOS = {str(kept.site.folder)!r}, {VIDEOS}\n{STORE}")
    with mortal(kept.site) as process:
        steps = kill_until_all_is_done(process, kept)
    for query, rows in EVERYTHING.items():
        assert kept.rows(query) == rows
    for kind, ends in steps.items():
        assert len(ends) > kept.fewest, f"few steps of {kind} were found: the worker is not watched"
        assert ends[-1] == OUTLIVED, f"more steps of {kind} than videos were left for"


def kill_until_all_is_done(process: subprocess.Popen[str], kept: LocalSite | CloudSite) -> dict[str, list[str]]:
    """Kill worker after worker, each a step later; return how they ended, by the kind of job."""
    steps: dict[str, list[str]] = {kind: [] for kind in KINDS}
    while waiting := {kind for (kind,) in kept.rows("SELECT kind FROM core_processingjob WHERE state = 'queued'")}:
        ends = steps[min(waiting, key=KINDS.index)]
        ends.append(told(process, f"{len(ends) + 1} {kept.counted} worker --batch"))
        if ends[-1] == OUTLIVED:
            continue
        assert ends[-1].startswith("killed before "), ends
        wait_for_the_children_of(kept.site.folder)
        assert_all_is_there(kept, ends)
        for statement in [*TIME_PASSES, SOMEBODY_TRIES_AGAIN]:
            kept.rows(statement)
        assert told(process, f"0 - shell --no-imports -c {shlex.quote('; '.join(SWEEP))}") == "ended 0"
        assert_nothing_else_is_there(kept, ends)
    return steps


def assert_all_is_there(kept: LocalSite | CloudSite, ends: list[str]) -> None:
    stored = kept.stored()
    for path, checksum in kept.rows(NAMED):
        assert stored[path] == (checksum or stored[path]), ends  # a video not yet checked has no checksum


def assert_nothing_else_is_there(kept: LocalSite | CloudSite, ends: list[str]) -> None:
    assert kept.stored().keys() == dict(kept.rows(NAMED)).keys(), ends
    assert list(kept.site.media.glob("incoming/*")) == [], ends
    assert kept.rows("SELECT count(*) FROM core_storagedeletion") == [(0,)], ends
