"""Where a page leads on: to what it leaves out, and to what has come since."""

import re

import pytest
from django.utils import timezone

from exercises.models import Attempt
from exercises.services.attempts import review_attempt, submit_attempt
from tests import factories

ALL_OF_CLASS = '<a class="text-link" href="/exercises/?classroom={}">All exercises of this class'


@pytest.mark.parametrize(("others", "leads_on"), [(11, False), (12, True)])
def test_a_class_page_leads_to_the_exercises_it_leaves_out(others, leads_on, ben, exercise, classroom, as_user):
    factories.copies(exercise, classroom, others)
    page = as_user(ben).get(f"/classes/{classroom.pk}/").content.decode()
    assert page.count("card__link") == 12
    assert (ALL_OF_CLASS.format(classroom.pk) in page) == leads_on


@pytest.fixture
def answered(ada, ben, exercise, clip) -> Attempt:
    """Ben's first attempt, answered with a redo."""
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    review_attempt(attempt=attempt, verdict=Attempt.State.REDO, by=ada, now=timezone.now())
    return attempt


def page_of(client, attempt: Attempt) -> str:
    return client.get(f"/attempts/{attempt.pk}/").content.decode()


def test_an_answered_attempt_asks_for_another_try_only_until_there_is_one(ben, exercise, answered, clip, as_user):
    learner = as_user(ben)
    page = page_of(learner, answered)
    assert "Ada asks for another try." in page
    assert f'<a class="button button--primary" href="/exercises/{exercise.pk}/">' in page
    newer = factories.attempt(exercise, ben, clip)
    to_newer = f'<a class="button" href="/attempts/{newer.pk}/">See attempt 2'
    for words in ("Attempt 2 is ready to submit.", "Attempt 2 was sent <time"):
        page = page_of(learner, answered)
        assert (words in page, to_newer in page) == (True, True)
        assert "asks for another try" not in page
        assert f'<a class="button button--primary" href="/exercises/{exercise.pk}/">' not in page
        if newer.state == Attempt.State.DRAFT:
            submit_attempt(attempt=newer, now=timezone.now())
    assert "See attempt" not in page_of(learner, newer)


def test_attempts_stand_newest_first_on_every_page(ben, exercise, answered, clip, as_user):
    newer = factories.attempt(exercise, ben, clip)
    for path in (f"/exercises/{exercise.pk}/", f"/attempts/{answered.pk}/", f"/attempts/{newer.pk}/"):
        strip = as_user(ben).get(path).content.decode().partition('<ol class="strip">')[2].partition("</ol>")[0]
        assert re.findall(r"Attempt (\d)", strip) == ["2", "1"], path


def test_a_waiting_attempt_is_one_link_away_from_where_it_can_be_taken_back(ada, ben, exercise, clip, as_user):
    learner, path = as_user(ben), f"/exercises/{exercise.pk}/"
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    link = f'Take it back to send another one. <a href="/attempts/{attempt.pk}/">To attempt 1</a>'
    assert link in learner.get(path).content.decode()
    refused = learner.post(f"{path}attempts/", {"video": factories.upload_file(clip)})
    assert (refused.status_code, link in refused.content.decode()) == (422, True)
    assert f'action="/attempts/{attempt.pk}/withdraw/"' in page_of(learner, attempt)
    review_attempt(attempt=attempt, verdict=Attempt.State.PASSED, by=ada, now=timezone.now())
    assert "To attempt 1" not in learner.get(path).content.decode()
