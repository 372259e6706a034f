"""The signed link of one part in local mode: it alone is the permission, for exactly what it was signed for."""

import hashlib
import logging
from contextlib import ExitStack
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from core.long_bodies import MOST, long_body
from core.models import Upload
from core.services import part_storage
from core.services.part_links import PartWish, sign_parts
from core.services.uploads import parted
from core.storage.parts import LINK_LIVES, PartRequest
from tests.functional.metrics_read import Metrics
from tests.functional.uploading import Uploader

pytestmark = pytest.mark.one_stack("development", why="in S3 no part comes here")


@pytest.fixture
def sender(ben, classroom, as_user, local_store) -> Uploader:
    """Ben, with an upload of two parts open."""
    made = Uploader(as_user(ben), classroom, bytes(range(256)) * (16 * 4096) + b"the rest")
    made.open()
    return made


def put(url: str, content: bytes, **headers: str):
    return Client().put(url, content, content_type="application/octet-stream", headers=headers)


def test_a_part_needs_no_session_no_token_and_no_query(sender, django_assert_num_queries):
    link = sender.sign(2).json()
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = "made-up"
    with django_assert_num_queries(0):
        answer = client.put(link["url"], b"the rest", content_type="application/octet-stream")
    assert (answer.status_code, answer["ETag"]) == (200, '"2-8"')
    assert (link["method"], link["headers"]) == ("PUT", {})


def test_a_long_body_too_many_is_counted_and_is_no_error(sender, settings, caplog):
    metrics, link = Metrics(settings), sender.sign(1).json()
    with ExitStack() as others:
        for _ in range(MOST):
            others.enter_context(long_body(2**20, {}))
        with metrics.adding(2, "practika_bodies_refused_total"):
            with metrics.adding(1, "practika_upload_parts_total", outcome="crowded"):
                answers = [put(link["url"], bytes(16 * 2**20))]
            answers.append(sender.client.post("/core/api/upload-video/", {"name": "A", "video": BytesIO(bytes(2**20))}))
    assert [(one.status_code, one.json()["title"], one["Retry-After"]) for one in answers] == [(503, "Busy", "2")] * 2
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("method", ["get", "post", "delete", "patch", "head"])
def test_only_put_is_signed(method, sender):
    assert getattr(Client(), method)(sender.sign(2).json()["url"]).status_code == 405


def test_a_link_that_was_changed_anywhere_is_403(sender):
    url = sender.sign(2).json()["url"]
    path, _, query = url.partition("?")
    other = path.replace("/2/", "/1/")
    elsewhere = path.replace(path.split("/")[4], "00000000-0000-4000-8000-000000000000")
    for bad in (
        path,
        f"{other}?{query}",
        f"{elsewhere}?{query}",
        url[:-1],
        f"{path}?Signature=x:y",
        f"{path}?Signature=%00",
    ):
        answer = put(bad, b"the rest")
        assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json"), bad
    for at in range(0, len(query), 7):
        changed = query[:at] + ("A" if query[at] != "A" else "B") + query[at + 1 :]
        assert put(f"{path}?{changed}", b"the rest").status_code == 403
    assert sender.held() == []


def test_a_link_signed_for_something_else_is_403(sender):
    from core.services.storage import signed_media_token

    path = sender.sign(2).json()["url"].partition("?")[0]
    token = signed_media_token(Upload.objects.get().storage_path, 3600)
    assert put(f"{path}?Signature={token}", b"the rest").status_code == 403


def test_an_expired_link_is_403(sender):
    upload = Upload.objects.get()
    then = timezone.now() - timedelta(hours=1, seconds=1)
    (link,) = sign_parts(upload=upload, wishes=[PartWish(2, 8)], now=then)
    assert put(link.signed.url, b"the rest").status_code == 403


def test_a_link_is_never_in_a_log_line(sender, caplog):
    url = sender.sign(2).json()["url"]
    with caplog.at_level(logging.DEBUG):
        put(url, b"the rest")
        put(url + "x", b"the rest")
    assert caplog.records
    secret = urlsplit(url).query.partition("=")[2][:40]
    assert secret not in caplog.text
    assert not [record for record in caplog.records if secret in str(record.__dict__.get("path", ""))]


@pytest.mark.parametrize("content", [b"the res", b"the rest and more"])
def test_another_length_is_422_and_nothing_is_kept(content, sender):
    answer = put(sender.sign(2).json()["url"], content)
    assert (answer.status_code, sender.held()) == (422, [])


def test_no_length_is_411(sender):
    answer = Client().generic("PUT", sender.sign(2).json()["url"], b"", CONTENT_LENGTH="")
    assert answer.status_code == 411


def test_a_body_cut_short_is_no_part(sender):
    body = {"wsgi.input": BytesIO(b"the"), "CONTENT_LENGTH": "8"}
    answer = Client().generic("PUT", sender.sign(2).json()["url"], b"the", **body)
    assert (answer.status_code, sender.held()) == (422, [])


def test_another_sha256_than_signed_is_422_and_the_part_before_is_gone(sender):
    digest = hashlib.sha256(b"the rest").hexdigest()
    sender.send(2)
    url = sender.sign(2, sha256=digest).json()["url"]
    assert put(url, b"the best").status_code == 422
    assert sender.held() == []
    answer = put(url, b"the rest")
    assert (answer.status_code, answer["ETag"], sender.held()) == (200, f'"{digest}"', [2])


def test_a_part_that_is_being_written_is_409_to_a_second_sender(sender):
    url, answers = sender.sign(2).json()["url"], []
    upload, storage = Upload.objects.get(), part_storage.local_part_storage()

    def source(view: memoryview) -> int:
        answers.append(put(url, b"the rest"))
        answers.append(sender.complete())
        view[:8] = b"the rest"
        return 8

    storage.write(parted(upload), PartRequest(2, 8, "", timezone.now() + LINK_LIVES), source)
    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0]["Retry-After"] == "1"
    assert sender.held() == [2]


def test_completion_waits_for_no_sender_who_hangs(sender):
    """It answers 409, and the upload is completed by the next call."""
    sender.send_all()
    upload, storage, answers = Upload.objects.get(), part_storage.local_part_storage(), []

    def source(view: memoryview) -> int:
        answers.append(sender.complete())
        view[:8] = b"the rest"
        return 8

    storage.write(parted(upload), PartRequest(2, 8, "", timezone.now() + LINK_LIVES), source)
    assert answers[0].status_code == 409
    assert sender.complete().status_code == 201


def test_the_bytes_are_on_the_disk_once(sender, settings):
    sender.send_all()
    size = len(sender.content)
    used = sum(path.stat().st_blocks * 512 for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())
    assert size <= used < size + 100_000


def test_after_an_abort_a_link_is_410_and_makes_no_file(sender, local_store):
    url = sender.sign(2).json()["url"]
    sender.abort()
    assert put(url, b"the rest").status_code == 410
    assert local_store.leftovers() == []
