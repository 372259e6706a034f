"""The bucket is silent, breaks off, or answers with errors: pages go on, and who needs it hears when to come."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

from core import storage_turns
from tests.faults.proxy import Line
from tests.faults.s3 import FailingGate, failing_s3
from tests.faults.site import Site

# The site gives up after 13 s at most (core/storage/s3_client.py). A machine under load may add to that; two silences
# would not fit in it.
GIVEN_UP_S = 18
THREADS = 8
STORE = """
from pathlib import Path
from accounts.models import Classroom, User
from core.models import Rendition
from core.services.storage import VideoStorageService
from tests import factories
ben, classroom = User.objects.get(name="Ben"), Classroom.objects.get()
classroom.memberships.update(role="instructor")
made = factories.exercise(classroom, ben, Path(CLIP), published=True)
key = VideoStorageService().upload_video(Path(CLIP).open("rb"), "map.vtt")
facts = {"storage_path": key, "size_bytes": 1, "checksum_sha256": "0" * 64, "created_at": made.created_at}
Rendition.objects.create(video=made.reference, kind="vtt", **facts)
print("made", made.pk, made.reference_id)
"""


class Stand:
    """A site of one process whose bucket is at the end of a line that can be cut."""

    def __init__(self, site: Site, line: Line, gate: FailingGate, clip: Path, exercise: str, video: str):
        self.site, self.line, self.gate, self.clip = site, line, gate, clip
        self.upload: dict[str, Any] = {}  # one that was opened while all was well
        self.exercise, self.video = f"/exercises/{exercise}/", f"/core/videos/{video}/"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.site.visitor().get(self.site.address + path, timeout=2 * GIVEN_UP_S, **options)

    def open_upload(self) -> requests.Response:
        fields = {"client_token": uuid4().hex, "file_name": "a.mp4", "mime_type": "video/mp4", "size_bytes": 1000}
        sent = fields | {"classroom": self.site.classroom}
        return self.site.visitor().post(f"{self.site.address}/core/api/uploads/", json=sent, timeout=2 * GIVEN_UP_S)

    def complete_upload(self) -> requests.Response:
        url = self.site.address + self.upload["completion_url"]
        return self.site.visitor().post(url, json={"size_bytes": 1000}, timeout=2 * GIVEN_UP_S)

    def send_form(self) -> requests.Response:
        url, video = f"{self.site.address}/core/api/upload-video/", {"video": self.clip.read_bytes()}
        return self.site.visitor().post(url, {"name": "A dance"}, files=video, timeout=2 * GIVEN_UP_S)

    def mend(self) -> None:
        self.line.mend()
        self.gate.refusal = None


@pytest.fixture(scope="module")
def stand(prepared_site: Site, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Ben's class with a video in the bucket."""
    with failing_s3() as gate, Line("127.0.0.1", urlsplit(gate.address).port or 0) as line:
        variables = gate.variables(line.address) | {"WEB_CONCURRENCY": "1", "PRACTIKA_MAX_OPEN_UPLOADS": "900"}
        site = prepared_site.copied_to(tmp_path_factory.mktemp("s3-site"), variables)
        said = site.shell(f"CLIP = {str(clip)!r}\n{STORE}")
        exercise, video = re.search(r"^made (\S+) (\S+)$", said, re.MULTILINE).groups()
        site.start()
        try:
            yield Stand(site, line, gate, clip, exercise, video)
        finally:
            line.mend()
            site.stop()


def silent(stand: Stand) -> None:
    stand.line.stall()


def broken(stand: Stand) -> None:
    stand.line.cut()


def failing(stand: Stand) -> None:
    stand.gate.refusal = (500, "InternalError")


def overloaded(stand: Stand) -> None:
    stand.gate.refusal = (503, "SlowDown")


@pytest.fixture(params=[silent, broken, failing, overloaded])
def fault(request: pytest.FixtureRequest, stand: Stand) -> Iterator[Callable[[Stand], None]]:
    opened = stand.open_upload()
    assert opened.status_code == 201
    stand.upload = opened.json()
    request.param(stand)
    yield request.param
    stand.mend()


def test_pages_go_on_while_more_wait_for_the_bucket_than_there_are_threads(
    stand: Stand, fault: Callable[[Stand], None]
) -> None:
    with ThreadPoolExecutor(3 * THREADS) as pool:
        began = time.monotonic()
        asking = [pool.submit(stand.complete_upload), *(pool.submit(stand.send_form) for _ in range(THREADS))]
        asking += [pool.submit(stand.open_upload) for _ in range(THREADS)]
        asking += [pool.submit(stand.get, f"{stand.video}thumbnails.vtt") for _ in range(THREADS)]
        for _ in range(3):
            for path in ("/exercises/", f"{stand.video}poster/", f"{stand.video}stream/"):
                assert stand.get(path, allow_redirects=False).status_code in (200, 302)
            assert "<video" in stand.get(stand.exercise).text
        assert fault is not silent or not all(one.done() for one in asking)  # no page waited for them
        answers = [one.result() for one in asking]
    assert time.monotonic() - began < GIVEN_UP_S
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["Retry-After"] for answer in answers} <= {"2", "30"}
    assert not any("Traceback" in answer.text for answer in answers)
    assert {stand.get("/core/health/").status_code, stand.get("/core/ready/").status_code} == {200, 503}
    stand.mend()
    with contextlib.suppress(AssertionError):
        assert stand.open_upload().status_code == 201  # the first may meet a connection that was cut
    assert stand.open_upload().status_code == 201
    assert stand.get(f"{stand.video}thumbnails.vtt").status_code == 200


def test_half_of_the_threads_never_wait_for_the_bucket() -> None:
    assert storage_turns.MOST * 2 == THREADS
