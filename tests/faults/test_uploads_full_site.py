"""Everything of a site on one disk, database, videos, and temporary files, and the disk is full: nothing is lost."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.faults.disks import filled, is_ended, is_problem, signed, small_disk
from tests.faults.site import Sender, Site

DISK_BYTES = 24 * 1024**2

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts disks")


@pytest.fixture
def small(prepared_site: Site, tmp_path: Path) -> Iterator[Site]:
    """A running site on a disk of DISK_BYTES."""
    with small_disk(tmp_path, DISK_BYTES):
        made = prepared_site.copied_to(tmp_path, {"WEB_CONCURRENCY": "1", "TMPDIR": str(tmp_path)})
        made.start()
        yield made
        made.stop()


def test_a_full_site_refuses_uploads_keeps_what_it_has_acknowledged_and_goes_on_by_itself(small: Site, video: bytes):
    sender = Sender(small, video, token=uuid4().hex, recording=True).open()
    assert sender.send(1).status_code == 200
    link = sender.link(2)
    another = Sender(small, video, token=uuid4().hex)
    form = {"files": {"video": video}, "data": {"name": "A"}, "timeout": 60}
    with filled(small.folder, 0):
        refusals = [
            another.call("POST", "/core/api/uploads/", another.fields),
            signed(sender, 3),
            sender.complete(),
            sender.visitor.post(f"{small.address}/core/api/upload-video/", **form),
        ]
        second = requests.put(link, sender.part(2), timeout=30)  # its room was taken when it was signed
        assert all(is_problem(answer, answer.status_code) for answer in refusals)
        assert {answer.status_code for answer in refusals} <= {503, 507}
        assert second.status_code == 200
        assert sender.held() == [1, 2]
        assert requests.get(f"{small.address}/core/health/", timeout=30).status_code == 200
        assert small.visitor().get(f"{small.address}/exercises/", timeout=30).status_code == 200
    assert sender.held() == [1, 2]
    assert another.open().upload["parts"] == []
    assert is_ended(sender)
