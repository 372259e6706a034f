"""What nginx passes on, to whom, and how much of it."""

import gzip
import json
import subprocess

import pytest


def test_nginx_accepts_the_filled_in_templates(nginx):
    tested = subprocess.run(**nginx | {"args": [*nginx["args"], "-t"]}, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr


def test_nginx_tells_the_site_who_asks_and_not_what_the_client_claims(ask):
    claims = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http", "X_Forwarded_Host": "evil.example"}
    _, body = ask("/exercises/", **claims)
    received = json.loads(body)
    assert received["X-Forwarded-For"] == "127.0.0.1"
    assert received["X-Forwarded-Proto"] == "https"
    assert received["Host"] == "practika.example.org"
    assert "X-Forwarded-Host" not in received


def test_nginx_takes_large_bodies_only_where_a_video_can_come_in(ask):
    large = bytes(5 * 1024 * 1024)
    assert ask("/core/api/upload-video/", method="POST", body=large)[0].status == 200
    assert ask("/accounts/login/", method="POST", Content_Length=str(len(large)))[0].status == 413


def test_nginx_compresses_a_page_for_who_takes_it_and_no_video(ask):
    packed, body = ask("/a-page/", Accept_Encoding="gzip, br")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert {"Cookie", "Accept-Encoding"} <= set(packed.headers.get_all("Vary"))
    plain, whole = ask("/a-page/")
    assert plain.headers["Content-Encoding"] is None
    assert gzip.decompress(body) == whole
    assert len(body) * 10 < len(whole)
    video, content = ask("/core/videos/1/stream/", Accept_Encoding="gzip")
    assert (video.headers["Content-Encoding"], content) == (None, b"0123456789")


def test_nginx_sends_plain_http_to_tls(ask):
    assert ask("/exercises/?q=a", secure=False)[0].headers["Location"] == "https://practika.example.org/exercises/?q=a"


@pytest.mark.parametrize("host", ["practika.example.org", "10.0.0.1"])
def test_the_probe_of_health_is_answered_over_plain_http_under_any_name(host, ask):
    assert ask("/core/health/", secure=False, Host=host)[0].status == 200
