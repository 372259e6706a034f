"""Times, lengths, sizes, icons and states as every page shows them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from core.templatetags import practika

NOON = datetime(2024, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at_ms", "shown"),
    [
        (0, "0:00.0"),
        (4260, "0:04.2"),
        (59_999, "0:59.9"),
        (3_600_000, "1:00:00.0"),
        (-5, "0:00.0"),
        (None, ""),
    ],
)
def test_a_moment_is_shown_to_the_tenth_and_never_rounded_up(at_ms, shown):
    assert practika.timecode(at_ms) == shown


@pytest.mark.parametrize(
    ("length_ms", "shown"), [(0, "0:00"), (40, "0:01"), (4_499, "0:04"), (3_661_000, "1:01:01"), (None, "")]
)
def test_a_length_is_whole_seconds_and_a_short_video_is_not_empty(length_ms, shown):
    assert practika.duration(length_ms) == shown


@pytest.mark.parametrize(("at_ms", "shown"), [(0, "0"), (4260, "4.26"), (5000, "5"), (61_005, "61.005"), (None, "")])
def test_a_media_fragment_gets_plain_seconds(at_ms, shown):
    assert practika.iso_seconds(at_ms) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(0, "0 bytes"), (1500, "1.5 KB"), (12_400_000, "12.4 MB"), (3 * 10**9, "3.0 GB")],
)
def test_sizes_are_decimal(size_bytes, shown):
    assert practika.file_size(size_bytes) == shown


@pytest.mark.parametrize(
    ("distance", "shown"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3, minutes=59), "3 hours ago"),
        (timedelta(days=9), "1 week ago"),
        (timedelta(days=60), "23 September 2024"),
        (-timedelta(seconds=5), "in a moment"),
        (-timedelta(days=2), "in 2 days"),
    ],
)
def test_distances_are_told_in_the_largest_unit_that_fits(distance, shown):
    assert practika.relative_words(NOON - distance, NOON) == shown


def test_a_relative_time_keeps_the_exact_one(settings):
    settings.TIME_ZONE = "UTC"
    shown = practika.ago(NOON)
    assert 'datetime="2024-11-22T12:00:00+00:00"' in shown
    assert "Friday 22 November 2024, 12:00" in shown


def test_a_due_date_is_told_in_the_time_zone_of_the_class():
    assert "Friday 22 November 2024, 23:00" in practika.due(NOON, "Pacific/Noumea")


def test_a_due_date_survives_an_unknown_time_zone():
    assert "November" in practika.due(NOON, "Atlantis/Capital")


@pytest.mark.parametrize("filtered", [practika.ago, practika.due])
def test_no_date_shows_nothing(filtered):
    assert filtered(None) == ""


@pytest.mark.parametrize(("name", "shown"), [("Ada Lovelace", "AL"), ("ben", "B"), ("", "?"), ("Ana de la Cruz", "AC")])
def test_initials_are_the_first_and_last_words(name, shown):
    assert practika.initials(name) == shown


def test_an_icon_is_hidden_from_screen_readers_unless_it_is_named():
    assert 'aria-hidden="true"' in practika.icon("play")
    assert 'role="img" aria-label="Play &amp; loop"' in practika.icon("play", "Play & loop")


def test_an_icon_is_the_same_whether_its_name_stands_in_the_template_or_comes_with_the_page():
    there = Template('{% load practika %}{% icon "play" "Play" %}').render(Context())
    here = Template("{% load practika %}{% icon name|lower label %}").render(Context({"name": "PLAY", "label": "Play"}))
    assert here == there == practika.icon("play", "Play")


def test_a_label_that_comes_with_the_page_is_escaped():
    shown = Template('{% load practika %}{% icon "play" label %}').render(Context({"label": "<b>"}))
    assert "&lt;b&gt;" in shown


def test_a_state_is_a_word_a_color_and_a_shape():
    shown = Template("{% load practika %}{% state_badge state %}").render(Context({"state": "to do"}))
    assert "badge--to-do" in shown
    assert "#state-to-do" in shown
    assert "To do" in shown


def test_no_state_shows_nothing():
    assert practika.state_badge("") == ""
