"""What a page says when something went wrong: what happened, the limit, when to try again, and the request's id."""

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from practika_project import errors

PAGES = [400, 403, 404, 413, 429, 500, 503]


@pytest.mark.parametrize("status", PAGES)
def test_an_error_page_stands_alone_and_names_its_number_and_the_request(status):
    context = {"status": status, "title": "A <b>title</b>", "reason": "A reason.", "request_id": "abc-123"}
    page = render_to_string(f"{status}.html", context)
    assert f"Error {status}" in page
    assert "<h1>A &lt;b&gt;title&lt;/b&gt;</h1>" in page
    assert "<p>A reason.</p>" in page
    assert "quote <code>abc-123</code>" in page
    assert 'href="/"' in page


@pytest.mark.parametrize("status", PAGES)
def test_an_error_page_makes_sense_without_a_word_from_anyone(status):
    page = render_to_string(f"{status}.html")
    assert f"Error {status}" in page
    assert "<h1>Something went wrong</h1>" in page
    assert "quote" not in page
    assert "<p></p>" not in page


def test_an_id_that_the_reason_names_is_not_said_twice():
    page = render_to_string("500.html", {"reason": "Logged as abc-123.", "request_id": "abc-123"})
    assert page.count("abc-123") == 1


def test_the_page_of_500_names_the_number_of_an_error_that_has_no_page():
    assert "Error 507" in render_to_string("500.html", {"status": 507, "title": "No space left"})


def test_when_to_try_again_is_said_in_words():
    assert "Try again in 30 seconds." in render_to_string("503.html", {"retry_after_s": 30})
    assert "Try again in a minute." in render_to_string("503.html")


def test_a_form_that_is_too_large_is_told_the_limit(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
    answer = errors.bad_request(RequestFactory().post("/accounts/profile/"), RequestDataTooBig("more"))
    assert answer.status_code == 413
    assert "A form may have up to 3.0\xa0MB." in answer.content.decode()


def test_a_video_that_is_too_large_is_told_the_limit(ben, exercise, clip, as_user, settings):
    settings.MAX_VIDEO_BYTES = 1024
    path = f"/exercises/{exercise.pk}/attempts/"
    answer = as_user(ben).post(path, b"x", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(10**9))
    assert answer.status_code == 413
    assert "A video may have up to 1.0\xa0KB." in answer.content.decode()


def test_a_database_that_does_not_answer_is_a_503_that_says_when_to_come_back():
    try:
        raise OperationalError("no route to host")
    except OperationalError:
        answer = errors.server_error(RequestFactory().get("/"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "Nothing was lost." in answer.content.decode()
    assert "Try again in 30 seconds." in answer.content.decode()
    assert "no route" not in answer.content.decode()


def test_a_form_without_its_token_is_told_to_reload(db):
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "ada@example.org"})
    assert answer.status_code == 403
    assert "<h1>Not sent</h1>" in answer.content.decode()


def test_a_page_over_http_names_the_request(ben, as_user):
    answer = as_user(ben).get("/no-such-page/", headers={"X-Request-ID": "seen-by-ada"})
    assert answer.status_code == 404
    assert "quote <code>seen-by-ada</code>" in answer.content.decode()
    as_json = as_user(ben).get("/core/api/nothing/", headers={"X-Request-ID": "seen-by-ada"})
    assert as_json.json()["request_id"] == "seen-by-ada"


def test_the_address_of_a_form_is_a_page_to_who_opens_it_and_an_empty_answer_to_a_program(ben, as_user, classroom):
    path = f"/classes/{classroom.pk}/members/"
    answer = as_user(ben).get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Error 405" in answer.content.decode()
    assert "<h1>Nothing to see</h1>" in answer.content.decode()
    assert as_user(ben).get(path).content == b""
