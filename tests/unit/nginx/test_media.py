"""Files that the site names and nginx sends: ranges and validators are the same as without nginx."""

import os

import pytest

from core.ranges import MEDIA_POLICY
from tests.unit.nginx.conftest import ETAG

VIDEO = "/core/videos/1/stream/"


def test_nginx_answers_ranges_of_a_file_that_the_site_hands_over(ask):
    answer, body = ask(VIDEO, Range="bytes=2-4")
    assert (answer.status, body) == (206, b"234")
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == MEDIA_POLICY
    assert answer.headers["X-Request-ID"] == "named-by-the-site"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="1.mp4"'


@pytest.mark.parametrize("asked", [{}, {"Range": "bytes=2-4"}], ids=["whole", "range"])
def test_the_validator_is_the_sites_and_the_only_one(asked, ask):
    headers = ask(VIDEO, **asked)[0].headers
    assert headers.get_all("ETag") == [ETAG]
    assert headers.get_all("Cache-Control") == ["private, max-age=86400"]
    assert "Last-Modified" not in headers


def test_a_range_goes_on_only_of_the_same_video(ask):
    same, part = ask(VIDEO, Range="bytes=2-4", If_Range=ETAG)
    other, whole = ask(VIDEO, Range="bytes=2-4", If_Range='"another"')
    assert (same.status, part) == (206, b"234")
    assert (other.status, whole) == (200, b"0123456789")


def test_what_the_browser_has_already_is_not_sent_again(ask):
    answer, body = ask(VIDEO, If_None_Match=ETAG)
    assert (answer.status, body, answer.headers["ETag"]) == (304, b"", ETAG)
    answer, body = ask(VIDEO, If_None_Match='"another"')
    assert (answer.status, body) == (200, b"0123456789")


def test_the_date_of_the_file_decides_nothing(ask, tmp_path):
    """A restored or copied file has another date and is the same video."""
    os.utime(tmp_path / "media" / "videos" / "1", (0, 0))
    answer, body = ask(VIDEO, If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT")
    assert (answer.status, body) == (200, b"0123456789")
    assert answer.headers.get_all("ETag") == [ETAG]


@pytest.mark.parametrize("path", ["/protected-media/videos/1", "/.env", "/exercises/.git/config"])
def test_nginx_shows_neither_files_behind_the_site_nor_dot_files(ask, path):
    assert ask(path)[0].status == 404
