"""One clock is wrong, or jumps: sessions go on, no time is negative, nothing is taken back or swept early.

libfaketime lies to that process alone; what others may rely on is the database's clock.
"""

import json
from pathlib import Path

import pytest

from tests.faults.site import Site
from tests.functional.backup_site import required

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
# A video is being prepared by a worker that lives, and another is on its way in.
BEGIN = """
from django.utils import timezone
from accounts.models import Classroom, User
from core.models import ProcessingJob, ScheduledRun, Upload, VideoAsset
from core.services.jobs import take_job
ben, room, now = User.objects.get(), Classroom.objects.first(), timezone.now()
row = {"owner": ben, "classroom": room, "created_at": now}
video = VideoAsset.objects.create(storage_path="a", size_bytes=1, mime_type="video/mp4", **row)
job = ProcessingJob.objects.create(video=video, kind="web", queued_at=now, created_at=now)
assert take_job(job_id=job.pk)
Upload.objects.create(client_token="clock", storage_path="b", backend="local", part_size_bytes=1, last_activity_at=now,
                      **row)
"""
END = """
from core.models import ProcessingJob, Upload, VideoAsset
for model in (ProcessingJob, Upload, VideoAsset):
    model.objects.all().delete()
"""
# One process serves Ben while its clock jumps; the link of a part is signed before each jump and used after it.
# (No gunicorn: libfaketime 0.9.10 refuses its sleep, which in Python 3.11 waits for a moment of the true clock.)
JUMPING = """
import json
from pathlib import Path
from django.test import Client
client = Client(headers={"host": "localhost"})
client.cookies["sessionid"] = SESSION
def post(path, body):
    return client.post(path, body, content_type="application/json")
new = {"client_token": "jumping-0001", "file_name": "a.mp4", "mime_type": "video/mp4", "classroom": ROOM,
       "size_bytes": None}
url = post("/core/api/uploads/", new).json()["url"]
def link():
    return post(f"{url}parts/1/", {"size_bytes": 4}).json()["url"]
def put(link):
    return client.put(link, b"part", content_type="application/octet-stream").status_code
found = []
for jump in ("+2h", "-1d", "+3d", "+0"):
    before = link()
    Path(CLOCK).write_text(jump + "\\n")
    found.append([jump, client.get("/exercises/").status_code, put(before), put(link())])
Path(CLOCK).with_name("found").write_text(json.dumps(found))
"""
SCHEDULED = """
from core.models import ProcessingJob, ScheduledRun, Upload
from core.services.schedule import run_due
ScheduledRun.objects.update(last_started_at=None)
names = run_due()
print("ran", "prune uploads" in names and "reap jobs" in names, ProcessingJob.objects.get(kind="web").state,
      Upload.objects.get(client_token="clock").state)
"""


def clock(file: Path) -> dict[str, str]:
    """Return the variables of a process whose clock is as far off as `file` says, whenever it looks."""
    required(LIBRARY, "faketime")
    file.write_text("+0\n")
    return {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        # A wrong clock changes neither the time since the start nor what the disk says.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def test_a_clock_that_jumps_ends_no_session_and_a_stale_link_is_signed_again(prepared_site: Site, tmp_path: Path):
    site = prepared_site.copied_to(tmp_path, clock(tmp_path / "clock"))
    chosen = {"CLOCK": str(tmp_path / "clock"), "SESSION": site.session, "ROOM": site.classroom}
    lines = site.shell(f"globals().update({chosen})\n{JUMPING}").splitlines()
    assert json.loads((tmp_path / "found").read_text()) == [
        ["+2h", 200, 403, 200],  # the link of before has expired
        ["-1d", 200, 200, 200],
        ["+3d", 200, 403, 200],
        ["+0", 200, 200, 200],
    ]
    durations = [json.loads(line)["duration_ms"] for line in lines if '"duration_ms"' in line]
    assert len(durations) > 4
    assert all(0 <= duration_ms < 60_000 for duration_ms in durations)


@pytest.mark.xdist_group("database")
@pytest.mark.parametrize("wrong", ["+2d", "-1d"])
def test_a_worker_whose_clock_is_wrong_takes_no_job_back_and_sweeps_no_upload(postgres_site: Site, tmp_path, wrong):
    variables = postgres_site.variables | clock(tmp_path / "clock")
    other = Site(tmp_path, variables)
    postgres_site.shell(BEGIN)
    try:
        (tmp_path / "clock").write_text(f"{wrong}\n")
        assert other.shell(SCHEDULED).splitlines()[-1] == "ran True running open"
    finally:
        postgres_site.shell(END)
