"""Home: how far each exercise of an instructor is answered, and how each stands for a learner."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Classroom, Membership
from exercises.models import Attempt, Exercise
from exercises.services.attempts import review_attempt
from tests import factories


def words(answer) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", answer.content.decode()).split())


def test_an_instructor_reads_how_many_learn_how_many_sent_something_and_what_waits(
    ada, ben, dee, exercise, clip, as_user
):
    factories.attempt(exercise, dee, clip)
    assert "2 learners 0 submitted 0 to review" in words(as_user(ada).get("/"))
    first = factories.attempt(exercise, ben, clip, submitted=True)
    assert "2 learners 1 submitted 1 to review" in words(as_user(ada).get("/"))
    review_attempt(attempt=first, verdict=Attempt.State.REDO, by=ada, now=timezone.now())
    factories.attempt(exercise, ben, clip, submitted=True)
    assert "2 learners 1 submitted 1 to review" in words(as_user(ada).get("/"))


def test_the_waiting_are_counted_beyond_those_shown(ada, ben, classroom, clip, as_user):
    for number in range(6):
        one = factories.exercise(classroom, ada, clip, name=f"Number {number}", published=True)
        factories.attempt(one, ben, clip, submitted=True)
    answer = as_user(ada).get("/")
    assert len(answer.context["waiting"]) == 5
    assert "See all 6" in words(answer)


@pytest.mark.parametrize(("answered", "late"), [("", True), ("draft", True), ("submitted", False)])
def test_a_learner_is_late_until_something_is_submitted(answered, late, ben, exercise, clip, as_user):
    Exercise.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    if answered:
        factories.attempt(exercise, ben, clip, submitted=answered == "submitted")
    assert [card.standing.is_late for card in as_user(ben).get("/exercises/").context["exercises"]] == [late]
    assert ("Late" in words(as_user(ben).get(f"/exercises/{exercise.pk}/"))) == late


def test_nobody_is_late_where_they_teach(ada, exercise, as_user):
    Exercise.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    assert "Late" not in words(as_user(ada).get("/exercises/"))


def test_home_teaches_and_learns_by_class(ada, exercise, as_user):
    other = Classroom.objects.create(name="Ballet for all")
    Membership.objects.create(user=ada, classroom=other, role="learner")
    context = as_user(ada).get("/").context
    assert [row.name for row, _ in context["teaching"]] == [exercise.name]
    assert context["learning"] == []
