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
    home = as_user(ada).get("/")
    assert [row.name for row, _ in home.context["teaching"]] == [exercise.name]
    assert shelves(home) == [("Ballet for all", [], False)]
    assert "Ballet for all The class No exercise yet." in words(home)


def shelves(home) -> list[tuple[str, list[str], bool]]:
    return [
        (group["classroom"].name, [row.name for row in group["exercises"]], group["has_more"])
        for group in home.context["learning"]
    ]


@pytest.fixture
def zumba(ben) -> Classroom:
    """Another class that Ben learns in."""
    made = Classroom.objects.create(name="Zumba")
    Membership.objects.create(user=ben, classroom=made, role="learner")
    return made


def test_every_class_has_a_place_with_its_newest_and_the_way_to_the_others(ben, exercise, zumba, as_user):
    Exercise.objects.update(due_at=timezone.now() + timedelta(days=1))  # next up, and among the newest
    factories.copies(exercise, exercise.classroom, 60)
    factories.copies(exercise, zumba, 1)
    home = as_user(ben).get("/")
    newest = [exercise.name, *(f"Tuesday dance {index}" for index in range(5))]
    assert shelves(home) == [("Tuesday dance", newest, True), ("Zumba", ["Zumba 0"], False)]
    page = home.content.decode()
    assert f'href="/exercises/?classroom={exercise.classroom_id}">All exercises of this class' in page
    assert page.count("All exercises of this class") == 1


def test_who_learns_in_many_classes_sees_fewer_exercises_of_each(ben, exercise, zumba, as_user):
    for number in range(2):
        made = Classroom.objects.create(name=f"Extra {number}")
        Membership.objects.create(user=ben, classroom=made, role="learner")
    factories.copies(exercise, zumba, 7)
    learning = as_user(ben).get("/").context["learning"]
    assert [len(group["exercises"]) for group in learning] == [0, 0, 1, 3]


def test_a_redo_is_next_up_wherever_it_is_then_a_draft_then_what_is_due_soonest(
    ada, ben, exercise, zumba, clip, as_user
):
    learner = as_user(ben)

    def next_up() -> str:
        return learner.get("/").context["next_up"].name

    *_, due, drafted, redone = factories.copies(exercise, exercise.classroom, 60)
    factories.copies(exercise, zumba, 1, due_at=timezone.now() + timedelta(days=2))
    assert next_up() == "Zumba 0"
    Exercise.objects.filter(pk=due.pk).update(due_at=timezone.now() + timedelta(days=1))
    assert next_up() == due.name
    factories.attempt(drafted, ben, clip)
    assert next_up() == drafted.name
    again = factories.attempt(redone, ben, clip, submitted=True)
    review_attempt(attempt=again, verdict=Attempt.State.REDO, by=ada, now=timezone.now())
    assert next_up() == redone.name
    factories.attempt(redone, ben, clip, submitted=True)
    assert next_up() == drafted.name


def test_nothing_is_next_up_once_all_is_submitted(ben, exercise, clip, as_user):
    factories.attempt(exercise, ben, clip, submitted=True)
    home = as_user(ben).get("/")
    assert home.context["next_up"] is None
    assert shelves(home) == [("Tuesday dance", [exercise.name], False)]
