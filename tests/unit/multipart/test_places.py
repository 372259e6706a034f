"""A form with a video holds one of the process's places until the video is dealt with (Note [Room for the others])."""

from contextlib import ExitStack

import pytest

from core.long_bodies import LONG_BYTES, MOST, MOST_FOR_A_BUCKET, TooManyBodies, place
from core.multipart import MultiPartParserError
from core.storage_turns import storage_turn
from tests.unit.multipart.forms import VIDEO, form, part

SHORT, LONG = b"short", bytes(LONG_BYTES)


def free_places() -> int:
    with ExitStack() as taken:
        for number in range(MOST + 1):
            try:
                taken.enter_context(place({}))
            except TooManyBodies:
                return number
        raise AssertionError("There are more places than there may be.")


@pytest.mark.parametrize("content", [SHORT, LONG])
def test_it_is_held_until_the_video_is_closed(receive, content):
    request = receive(form(part('name="a"', b"1"), part(VIDEO, content)))
    video = request.FILES["video"]
    assert free_places() == MOST - 1
    video.close()
    assert free_places() == MOST


@pytest.mark.parametrize("content", [SHORT, LONG])
def test_a_form_without_a_video_holds_none_once_it_is_read(receive, content):
    assert receive(form(part('name="a"', content))).POST["a"] == content.decode()
    assert free_places() == MOST


@pytest.mark.parametrize("content", [SHORT, LONG])
def test_a_form_that_is_refused_gives_it_back(receive, content):
    with pytest.raises(MultiPartParserError):
        _ = receive(form(part(VIDEO, content), part(VIDEO, content))).POST
    assert free_places() == MOST


def test_when_none_is_free_a_short_form_is_refused_only_for_its_video(receive):
    with ExitStack() as taken:
        for _ in range(MOST):
            taken.enter_context(place({}))
        assert receive(form(part('name="a"', b"1"))).POST["a"] == "1"
        with pytest.raises(TooManyBodies):
            _ = receive(form(part(VIDEO, SHORT))).POST


def test_forms_on_the_way_to_a_bucket_leave_room_for_the_calls_of_uploads(settings):
    settings.USE_S3 = True
    with ExitStack() as taken:
        for _ in range(MOST_FOR_A_BUCKET):
            taken.enter_context(place({}))
        with pytest.raises(TooManyBodies):
            taken.enter_context(place({}))
        with storage_turn(), storage_turn():
            pass
    assert free_places() == MOST_FOR_A_BUCKET
    settings.USE_S3 = False
    assert free_places() == MOST
