"""A completion killed at each of its steps, or told that the disk has an error there, is finished by the next call.

The steps are the system calls that change what is on the disk, of the upload's files and of the database alike; strace
(Linux) kills the process in the n-th of them.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.site import Site
from tests.functional.test_server import ROOT

STEPS = 10
CHANGES = "rename,renameat,renameat2,fsync,fdatasync,ftruncate,unlink,unlinkat,rmdir,mkdir,mkdirat"
# Upload number n of Zoe, all its parts held.
OPEN = """
import os
from pathlib import Path
from django.utils import timezone
from accounts.models import Classroom, Membership
from core.services.part_storage import local_part_storage
from core.services.part_links import PartWish, sign_parts
from core.services.uploads import open_upload, parted
from core.storage.parts import PartRequest
from tests import factories
clip = Path(CLIP).read_bytes()
zoe, classroom = factories.person("Zoe"), Classroom.objects.create(name="Killed")
for number in range(1, STEPS + 1):
    upload, _ = open_upload(owner=zoe, classroom=classroom, client_token=f"killed-{number:04}", file_name="a.mp4",
                            mime_type="video/mp4", size_bytes=len(clip), now=timezone.now())
    sign_parts(upload=upload, wishes=[PartWish(1, len(clip))], now=timezone.now())
    def source(view):
        view[:len(clip)] = clip
        return len(clip)
    local_part_storage().write(parted(upload), PartRequest(1, len(clip), "", timezone.now()), source)
"""
COMPLETE = """
from django.utils import timezone
from core.models import Upload
from core.services.completion import complete_upload
for upload in Upload.objects.filter(client_token__in=TOKENS):
    complete_upload(upload=upload, size_bytes=upload.declared_size_bytes, sha256="", now=timezone.now())
"""
LOOK = """
from core.models import ProcessingJob, Upload, VideoAsset
for upload in Upload.objects.filter(owner__name="Zoe").order_by("client_token"):
    path = upload.storage_path
    print(upload.state, path, VideoAsset.objects.filter(storage_path=path).count(),
          ProcessingJob.objects.filter(video__storage_path=path).count())
"""


def look(site: Site) -> list[list[str]]:
    return [line.split() for line in site.shell(LOOK).splitlines() if "videos/" in line]


def complete_under(site: Site, number: int, fault: str) -> int:
    script = f"TOKENS = ['killed-{number:04}']\n{COMPLETE}"
    inject = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={CHANGES}",
        "-e",
        f"inject={CHANGES}:{fault}:when={number}",
    ]
    command = [*inject, sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
    return subprocess.run(command, cwd=ROOT, env=site.env, capture_output=True, timeout=120).returncode


@pytest.mark.skipif(not (shutil.which("strace") or os.environ.get("CI") == "true"), reason="strace is not installed")
@pytest.mark.parametrize("fault", ["signal=KILL", "error=EIO"])
def test_a_completion_that_ends_at_any_step_is_finished_by_the_next_call(fault, tmp_path: Path, clip: Path):
    site = Site(tmp_path)
    site.run("migrate", "--verbosity", "0")
    site.shell(f"CLIP, STEPS = {str(clip)!r}, {STEPS}\n{OPEN}")
    ended = [complete_under(site, number, fault) for number in range(1, STEPS + 1)]
    assert ended[0] != 0, "the first step did not fail: strace did nothing"
    digest = hashlib.sha256(clip.read_bytes()).hexdigest()
    for state, path, videos, jobs in look(site):
        file = site.media / path
        assert (state, videos, jobs) in {("open", "0", "0"), ("completing", "0", "0"), ("complete", "1", "1")}
        assert state != "complete" or hashlib.sha256(file.read_bytes()).hexdigest() == digest
    tokens = [f"killed-{number:04}" for number in range(1, STEPS + 1)]
    site.shell(f"TOKENS = {tokens}\n{COMPLETE}")
    for state, path, videos, jobs in look(site):
        assert (state, videos, jobs) == ("complete", "1", "1")
        assert hashlib.sha256((site.media / path).read_bytes()).hexdigest() == digest
    assert list((site.media / "uploads").rglob("video")) == []
