"""Calls of an upload that are wrong: a problem in the 400s with a sentence, and nothing changed."""

import json

import pytest

from core.models import Upload
from core.storage.parts import MEBIBYTE
from tests.functional.uploading import UPLOADS, Uploader

DEEP = "[" * 100_000 + "]" * 100_000
NO_NUMBER = ["1", 1.0, 1e3, True, None, 0, -1, [], {}, 2**53 + 1, "x" * 100_000]


@pytest.fixture
def sender(ben, classroom, clip, as_user, local_store) -> Uploader:
    """Ben, with an upload of one part open."""
    made = Uploader(as_user(ben), classroom, clip.read_bytes())
    made.open()
    return made


def is_problem(answer, *statuses: int) -> bool:
    assert answer.status_code in statuses, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    shown = answer.json()
    return shown["status"] == answer.status_code and len(shown["detail"]) > 10 and bool(shown["title"])


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "1", "null", '"text"', "NaN", '{"a": NaN}', '{"a": Infinity}', DEEP, '{"a": ' + DEEP + "}",
     '{"a": "\\ud800"}', '{"\\udfff": 1}', b"\xff\xfe", "9" * 5000, '{"size_bytes": ' + "9" * 5000 + "}", "{" * 1000],
    ids=range(17),
)  # fmt: skip
@pytest.mark.parametrize("call", ["", "parts/", "parts/1/", "completion/"])
def test_a_body_that_is_no_json_object_is_refused(call, body, sender):
    path = sender.upload["url"] + call if call else UPLOADS
    assert is_problem(sender.client.post(path, body, content_type="application/json"), 400, 413, 415, 422)
    assert Upload.objects.get().state == "open"


def test_a_body_over_64_kib_is_413_and_a_form_is_415(sender):
    large = json.dumps({**sender.fields, "more": "x" * 70_000})
    assert is_problem(sender.client.post(UPLOADS, large, content_type="application/json"), 413)
    assert is_problem(sender.client.post(UPLOADS, sender.fields), 415)
    assert is_problem(sender.client.post(UPLOADS, "{}", content_type="text/plain"), 415)


@pytest.mark.parametrize("size", [value for value in NO_NUMBER if value is not None], ids=repr)
def test_a_size_that_is_no_size_is_422(size, sender):
    assert is_problem(sender.open(size_bytes=size, client_token="token-0009"), 422, 413)
    assert is_problem(sender.post(f"{sender.upload['url']}parts/1/", {"size_bytes": size}), 422, 413)
    assert is_problem(sender.complete(size_bytes=size), 422, 413)
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 65, "with space", "new\nline1", "token-0001\n", "nul\0nul\0n", 12345678, None, [], {}]
)
def test_a_token_that_is_none_is_422(token, sender):
    assert is_problem(sender.open(client_token=token), 422)


@pytest.mark.parametrize("given", ["", "1", None, [], {}, "x" * 10_000, "\0"])
def test_a_class_that_is_no_id_is_422_and_one_that_is_not_there_is_404(given, sender):
    assert is_problem(sender.open(classroom=given), 422)
    assert is_problem(sender.open(classroom="00000000-0000-4000-8000-000000000000"), 404)


@pytest.mark.parametrize(
    "mime_type", ["text/html", "image/png", "video/", "video", "video/x\0", "VIDEO/<b>", "video/" + "x" * 90]
)
def test_a_type_of_no_video_is_415(mime_type, sender):
    assert is_problem(sender.open(mime_type=mime_type, client_token="token-0009"), 415, 422)


@pytest.mark.parametrize(
    "mime_type", ["", "application/octet-stream", "video/mp4", "Video/MP4", "video/webm;codecs=vp9"]
)
def test_a_type_that_may_be_a_video_is_taken(mime_type, sender):
    assert sender.open(mime_type=mime_type, client_token="token-0009").status_code == 201


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\r\nb.mp4", "ab.mp4"),
        ("\u202egpj.mp4", "gpj.mp4"),
        ("-rf", "-rf"),
        ("", "video"),
    ],
)
def test_a_file_name_is_only_shown_cleaned(name, shown, sender):
    assert sender.open(file_name=name, client_token="token-0009").status_code == 201
    assert Upload.objects.get(client_token="token-0009").original_name == shown


@pytest.mark.parametrize("name", [1, [], {}, "x" * 5000, "nul\0"])
def test_a_file_name_that_is_no_name_is_422(name, sender):
    assert is_problem(sender.open(file_name=name, client_token="token-0009"), 422)


@pytest.mark.parametrize("number", ["0", "2", "10001", "9" * 4000])
def test_a_part_that_is_not_there_is_422(number, sender):
    path = f"{sender.upload['url']}parts/{number}/"
    assert is_problem(sender.post(path, {"size_bytes": len(sender.content)}), 422)


@pytest.mark.parametrize(
    "wishes",
    [
        None,
        {},
        [],
        [1],
        [[]],
        [{}] * 101,
        [{"number": 1}],
        [{"number": "1", "size_bytes": 1}],
        [{"number": 10_001, "size_bytes": 1}],
        [{"number": 1, "size_bytes": 1, "sha256": "x"}],
    ],
    ids=range(10),
)
def test_a_list_of_parts_that_is_none_is_422_and_says_which(wishes, sender):
    refused = sender.post(sender.upload["parts_url"], {"parts": wishes})
    assert is_problem(refused, 422)
    assert "list" in refused.json()["detail"]


def test_one_part_that_is_not_there_refuses_the_whole_list(sender):
    right = {"number": 1, "size_bytes": len(sender.content)}
    assert sender.post(sender.upload["parts_url"], {"parts": [right]}).status_code == 200
    assert is_problem(sender.post(sender.upload["parts_url"], {"parts": [right, {**right, "number": 2}]}), 422)


@pytest.mark.parametrize("number", ["-1", "1e3", "x", "%00", "1.0", "9" * 5000, "٣x"])
def test_a_part_number_that_is_no_number_is_404(number, sender):
    assert is_problem(sender.post(f"{sender.upload['url']}parts/{number}/", {"size_bytes": 1}), 404)


@pytest.mark.parametrize("change", [-1, 1, 16 * MEBIBYTE])
def test_a_part_of_another_size_is_422(change, sender):
    assert is_problem(sender.sign(1, len(sender.content) + change), 422)


@pytest.mark.one_stack("development", why="local parts have other sizes than S3's")
def test_the_last_number_of_a_recording_is_10000(ben, classroom, as_user, local_store, settings):
    settings.MAX_VIDEO_BYTES = 10_001 * MEBIBYTE
    recorder = Uploader(as_user(ben), classroom, b"x", size_bytes=None)
    recorder.open()
    assert recorder.upload["part_size_bytes"] == 2 * MEBIBYTE  # grown, so that the longest fits
    assert recorder.sign(10_001, 1).json()["code"] == "wrong_number"
    assert recorder.sign(10_000, 1).status_code == 413
    assert recorder.sign(1, 2 * MEBIBYTE + 1).json()["code"] == "wrong_size"


@pytest.mark.parametrize("sha256", ["x", "A" * 64, "0" * 63, "0" * 65, 1, [], "\0" * 64])
def test_a_sha256_that_is_none_is_422(sha256, sender):
    assert is_problem(sender.sign(1, sha256=sha256), 422)
    assert is_problem(sender.complete(sha256=sha256), 422)


def test_over_the_largest_size_is_413(sender, settings):
    settings.MAX_VIDEO_BYTES = 1000
    assert is_problem(sender.open(client_token="token-0009"), 413)
    assert is_problem(sender.sign(1), 413)


def test_over_a_quota_is_413_and_what_is_unfinished_counts(sender, settings):
    settings.QUOTA_USER_BYTES = 2 * len(sender.content) - 1
    answer = sender.open(client_token="token-0009")
    assert is_problem(answer, 413)
    assert answer.json()["code"] == "over_quota"
    sender.open(client_token="token-0001")
    sender.abort()
    assert sender.open(client_token="token-0009").status_code == 201


@pytest.mark.one_stack("development", why="local parts have other sizes than S3's")
def test_a_recording_stops_at_the_quota_of_the_class(ben, classroom, as_user, local_store, settings):
    settings.QUOTA_CLASS_BYTES = 2 * MEBIBYTE
    recorder = Uploader(as_user(ben), classroom, bytes(3 * MEBIBYTE), size_bytes=None)
    recorder.open()
    assert [recorder.sign(number).status_code for number in (1, 2, 3, 2)] == [200, 200, 413, 200]
    assert Upload.objects.get().reserved_bytes == 2 * MEBIBYTE


def test_too_many_open_uploads_are_429(sender, settings):
    settings.MAX_OPEN_UPLOADS = 1
    assert is_problem(sender.open(client_token="token-0009"), 429)
    assert sender.open().status_code == 200


def test_unknown_fields_change_nothing(sender):
    fields = {"state": "complete", "owner": "x", "storage_path": "videos/x", "reserved_bytes": 0, "part_size_bytes": 1}
    assert sender.open(client_token="token-0009", **fields).status_code == 201
    made = Upload.objects.get(client_token="token-0009")
    assert (made.state, made.reserved_bytes, made.part_size_bytes) == ("open", len(sender.content), 16 * MEBIBYTE)
