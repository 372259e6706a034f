"""A form with a video arrives whole, through Django's own request, parser and end of request."""

import hashlib
import os
import stat

import pytest

from core.received import WRITE_BACK_BYTES, display_name
from tests.unit.multipart.forms import BOUNDARY, VIDEO, form, part


def test_a_video_arrives_whole_with_its_checksum(receive):
    content = os.urandom(3_500_000)
    request = receive(form(part('name="name"', b"Plie"), part(VIDEO, content, "Content-Type: video/mp4")))
    video = request.FILES["video"]
    assert video.path.read_bytes() == video.read() == content
    assert (video.name, video.size, video.content_type) == ("dance.mp4", len(content), "video/mp4")
    assert video.checksum_sha256 == hashlib.sha256(content).hexdigest()
    assert request.POST.dict() == {"name": "Plie"}


def test_the_file_is_closed_to_other_accounts(receive):
    assert stat.S_IMODE(receive(form(part(VIDEO, b"x"))).FILES["video"].path.stat().st_mode) & 0o137 == 0


def test_fields_before_and_after_the_file_and_repeated_ones_are_read(receive):
    request = receive(form(part('name="a"', b"1"), part(VIDEO, b"x"), part('name="a"', b"2"), part('name="b"')))
    assert request.POST.getlist("a") == ["1", "2"]
    assert request.POST["b"] == ""
    assert request.FILES["video"].size == 1


def test_what_was_posted_cannot_be_changed(receive):
    with pytest.raises(AttributeError, match="immutable"):
        receive(form(part('name="a"', b"1"))).POST["a"] = "2"


def test_preamble_epilogue_and_padding_are_no_content(receive):
    body = form(part(VIDEO, b"x"), preamble=b"This is\r\n--not it\r\n", epilogue=b"\r\nthe end")
    body = body.replace(b"GhX\r\n".replace(b"X", b""), b"Gh \t\r\n", 1)
    assert receive(body).FILES["video"].read() == b"x"


def test_an_input_in_which_nothing_was_chosen_is_no_file(receive):
    request = receive(form(part('name="video"; filename=""', b"", "Content-Type: application/octet-stream")))
    assert list(request.FILES) == []


def test_a_chosen_empty_file_is_a_file_of_no_bytes(receive):
    assert receive(form(part(VIDEO))).FILES["video"].size == 0


def test_fields_are_read_in_the_charset_of_the_request(receive):
    body = form(part('name="a"', "pli\xe9".encode("latin-1")))
    request = receive(body, content_type=f"multipart/form-data; charset=iso-8859-1; boundary={BOUNDARY}")
    assert request.POST["a"] == "pli\xe9"


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ('filename="a \\"b\\"; c.mp4"', 'a "b"; c.mp4'),
        ("filename=bare.mp4", "bare.mp4"),
        ("filename=\"x.mp4\"; filename*=UTF-8''%E2%82%AC%20rates.mp4", "€ rates.mp4"),
        ('filename="плие.mp4"', "плие.mp4"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\films\\\\x.mp4"', "x.mp4"),
        ('filename=".."', "video"),
    ],
)
def test_file_names_are_read_in_every_spelling(receive, parameter, name):
    assert receive(form(part(f'name="video"; {parameter}', b"x"))).FILES["video"].name == name


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("a\0b\r\n.mp4", "ab.mp4"),
        ("\u202egpj.mp4", "gpj.mp4"),
        ("\u2066x\u2069\u200f.mp4", "x.mp4"),
        ("-rf", "-rf"),
        ("", "video"),
        ("a\\b/", "video"),
        ("x" * 300 + ".mp4", "x" * 116 + ".mp4"),
        ("x" * 300, "x" * 120),
        ("a  b.mp4", "a b.mp4"),
    ],
)
def test_a_name_is_cleaned_for_showing(given_name, shown):
    assert display_name(given_name) == shown


# To the disk while it comes (see the Note in core.received)


def test_a_long_video_is_sent_to_the_disk_while_it_comes_each_byte_once(receive, monkeypatch):
    content, asked, advise = os.urandom(21 << 20), [], os.posix_fadvise

    def recorded(descriptor, begin, length, advice):
        asked.append((begin, length, advice))
        advise(descriptor, begin, length, advice)

    monkeypatch.setattr(os, "posix_fadvise", recorded)
    video = receive(form(part(VIDEO, content))).FILES["video"]
    assert video.checksum_sha256 == hashlib.sha256(video.path.read_bytes()).hexdigest()
    assert video.checksum_sha256 == hashlib.sha256(content).hexdigest()
    ends = [begin + length for begin, length, _ in asked]
    assert [begin for begin, _, _ in asked] == [0, *ends[:-1]]
    assert len(content) - ends[-1] < WRITE_BACK_BYTES
    assert {advice for _, _, advice in asked} == {os.POSIX_FADV_DONTNEED}


def test_a_long_video_arrives_whole_where_the_system_cannot_be_advised(receive, monkeypatch):
    monkeypatch.delattr(os, "posix_fadvise")
    content = os.urandom(9 << 20)
    assert receive(form(part(VIDEO, content))).FILES["video"].read() == content
