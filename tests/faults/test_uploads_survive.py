"""Uploads against a real server that dies, hangs, and is asked by many at once: nothing acknowledged is lost."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

from tests.faults.site import Sender, Site, until


@pytest.fixture
def sender(site: Site, video: bytes) -> Sender:
    """Ben, sending a recording of four parts."""
    return Sender(site, video, token=uuid4().hex, recording=True).open()


def sql(site: Site, statement: str, *values: str) -> list[tuple]:
    with closing(sqlite3.connect(site.folder / "db.sqlite3", timeout=10)) as database:
        return database.execute(statement, values).fetchall()


def stored(site: Site, upload_id: str) -> str:
    """Return the SHA-256 of what is stored for the upload; there must be exactly one video of it."""
    key = uuid_text(upload_id)
    joined = "core_upload u JOIN core_videoasset v ON v.storage_path = u.storage_path"
    ((path, count),) = sql(site, f"SELECT u.storage_path, count(v.id) FROM {joined} WHERE u.id = ?", key)
    assert count == 1
    return hashlib.sha256((site.media / path).read_bytes()).hexdigest()


def uuid_text(upload_id: str) -> str:
    return upload_id.replace("-", "")


def test_a_server_killed_in_the_middle_of_a_part_has_the_parts_before_and_not_half_of_this_one(sender, site, video):
    assert sender.send(1).status_code == 200
    with sender.half_a_part(2):
        site.kill()
    site.start()
    assert sender.held() == [1]
    for number in (2, 3, 4):
        assert sender.send(number).status_code == 200
    assert sender.complete().status_code == 201
    assert stored(site, sender.upload["id"]) == hashlib.sha256(video).hexdigest()


def test_a_part_that_was_held_is_not_half_of_two_when_it_is_being_sent_again(sender, site):
    sender.send_all()
    with sender.half_a_part(2):
        until(lambda: sender.held() == [1, 3, 4], 30)
        assert sender.complete().status_code == 409
        site.kill()
    site.start()
    assert sender.complete().json()["missing"] == [2]


def test_a_sender_who_hangs_up_frees_the_part(sender):
    with sender.half_a_part(1) as line:
        assert requests.put(sender.link(1), sender.part(1), timeout=30).status_code == 409
        line.close()
        until(lambda: sender.send(1).status_code == 200, 30)


def test_a_part_that_came_whole_counts_though_nobody_waits_for_the_answer(sender):
    with sender.half_a_part(1) as line:
        line.sendall(sender.part(1)[len(sender.part(1)) // 2 :])
    until(lambda: sender.held() == [1], 30)


def test_a_late_try_that_breaks_off_takes_no_part_away_that_a_later_link_has_brought(sender):
    late = sender.late_half(1)
    assert sender.send(1).status_code == 200
    assert late().startswith(b"HTTP/1.1 409")
    assert sender.held() == [1]
    assert sender.send(1).status_code == 200


def test_a_late_sender_never_writes_into_the_finished_video(sender, site, video):
    link = sender.link(2)
    sender.send_all()
    assert sender.complete().status_code == 201
    assert requests.put(link, bytes(len(sender.part(2))), timeout=30).status_code == 410
    assert stored(site, sender.upload["id"]) == hashlib.sha256(video).hexdigest()


def test_the_links_are_in_no_log_line(sender, site):
    link = sender.link(1)
    sender.send(1)
    requests.put(link + "x", b"", timeout=30)
    log, path = Path(site.folder / "log"), urlsplit(link).path
    until(lambda: log.read_text().count(f'"path": "{path}"') >= 2, 30)  # lines are written beside the requests
    assert "Signature" not in log.read_text()
