"""Many callers at once, on SQLite and on PostgreSQL: one upload, one video, one answer."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest
import requests

from tests.faults.site import Sender, Site, until

CALLERS = 20
ABORTS = 4


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request, prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running site of two processes, on each database."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        made = prepared_site.copied_to(folder, {})
    else:
        made = Site(folder, {"DATABASE_URL": new_database(request.getfixturevalue("postgresql_url"))})
        made.prepare()
    made.start()
    yield made
    made.kill()


def new_database(url: str) -> str:
    """Return the address of an empty database of that server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE races")
    return url.rpartition("/")[0] + "/races"


def sent(site: Site, video: bytes) -> Sender:
    """Return Ben with every part of a recording sent."""
    made = Sender(site, video, token=uuid4().hex, recording=True).open()
    made.send_all()
    return made


def videos_of(site: Site) -> set[Path]:
    """Return the stored files."""
    return set(site.media.glob("videos/*/*/*"))


def rows_of(site: Site, video: Path) -> int:
    """Return how many rows name the stored file."""
    key = video.relative_to(site.media)
    count = f"VideoAsset.objects.filter(storage_path={str(key)!r}).count()"
    return int(site.shell(f"from core.models import VideoAsset; print({count})").split()[-1])


def answered(ask: Callable[[], requests.Response]) -> requests.Response:
    """Return the answer, coming again while all turns are taken (503), as everybody who sends does."""
    answers: list[requests.Response] = []
    until(lambda: answers.append(ask()) or answers[-1].status_code != 503, 60)
    return answers[-1]


def test_twenty_completions_at_once_make_one_video_and_give_one_answer(site: Site, video: bytes) -> None:
    sender, before, barrier = sent(site, video), videos_of(site), Barrier(CALLERS)

    def complete(_: int) -> tuple[int, str]:
        visitor = site.visitor()
        body = {"size_bytes": len(sender.content)}
        barrier.wait(60)
        url = site.address + sender.upload["completion_url"]
        answer = answered(lambda: visitor.post(url, json=body, timeout=60))
        return answer.status_code, answer.json()["video"]["id"]

    with ThreadPoolExecutor(CALLERS) as threads:
        answers = list(threads.map(complete, range(CALLERS)))
    assert sorted(status for status, _ in answers) == [200] * (CALLERS - 1) + [201]
    assert len({video for _, video in answers}) == 1
    (stored,) = videos_of(site) - before
    assert rows_of(site, stored) == 1
    assert hashlib.sha256(stored.read_bytes()).digest() == hashlib.sha256(video).digest()


def test_an_abort_against_a_completion_leaves_a_video_or_nothing(site: Site, video: bytes) -> None:
    for _ in range(ABORTS):
        sender, before, barrier, other = sent(site, video), videos_of(site), Barrier(2), site.visitor()

        def abort(url: str = site.address + sender.upload["url"], other=other, barrier=barrier) -> int:
            barrier.wait(60)
            return other.delete(url, timeout=60).status_code

        with ThreadPoolExecutor(1) as threads:
            aborting = threads.submit(abort)
            barrier.wait(60)
            outcome = (sender.complete().status_code, aborting.result())
        assert outcome in {(201, 409), (410, 204)}
        assert len(videos_of(site) - before) == (outcome == (201, 409))


def test_the_same_token_from_ten_tabs_at_once_is_one_upload(site: Site, video: bytes) -> None:
    token, barrier = uuid4().hex, Barrier(10)

    def open_one(_: int) -> str:
        sender = Sender(site, video, token=token)
        barrier.wait(60)
        return answered(lambda: sender.call("POST", "/core/api/uploads/", sender.fields)).json()["id"]

    with ThreadPoolExecutor(10) as threads:
        assert len(set(threads.map(open_one, range(10)))) == 1
