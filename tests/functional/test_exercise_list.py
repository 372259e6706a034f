"""The list's state filter, what an exercise's page offers its instructors, and the place its pages have in the site."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Classroom, Membership
from comments.services import write_comment
from exercises.models import Exercise
from tests import factories

LEARNERS = ["To do", "Draft", "Submitted", "Redo", "Passed"]
INSTRUCTORS = ["Draft", "Published", "Archived"]


def offered(client: Client) -> list[str]:
    return [label for _, label in client.get("/exercises/").context["states"]]


def shown(client: Client, state: str = "") -> set[str]:
    return {one.name for one in client.get("/exercises/", {"state": state} if state else {}).context["exercises"]}


@pytest.fixture
def shelf(classroom, ada, clip) -> Classroom:
    """Ada's class with an exercise in every state."""
    for state in Exercise.State:
        made = factories.exercise(classroom, ada, clip, name=f"{state} one")
        Exercise.objects.filter(pk=made.pk).update(state=state)
    return classroom


def test_who_only_teaches_is_offered_the_states_of_exercises(ada, shelf, as_user):
    teacher = as_user(ada)
    assert offered(teacher) == INSTRUCTORS
    assert shown(teacher) == {"draft one", "published one"}
    for state in ("draft", "published", "archived"):
        assert shown(teacher, state) == {f"{state} one"}


def test_who_only_learns_is_offered_the_states_of_answers(ben, shelf, as_user):
    learner = as_user(ben)
    assert offered(learner) == LEARNERS
    assert shown(learner, "to do") == shown(learner) == {"published one"}
    assert shown(learner, "passed") == shown(learner, "draft") == set()


def test_a_state_that_is_not_offered_filters_nothing(ada, ben, shelf, as_user):
    assert shown(as_user(ben), "archived") == {"published one"}
    assert shown(as_user(ada), "to do") == shown(as_user(ada))


def test_who_does_both_finds_answers_and_exercises_under_one_filter(ada, ben, shelf, clip, as_user):
    own = Classroom.objects.create(name="Ben's own")
    Membership.objects.create(user=ben, classroom=own, role="instructor")
    factories.exercise(own, ben, clip, name="mine to publish")
    both = as_user(ben)
    assert offered(both) == [*LEARNERS, "Published", "Archived"]
    assert shown(both) == {"published one", "mine to publish"}
    assert shown(both, "to do") == {"published one"}
    assert shown(both, "draft") == {"mine to publish"}
    assert shown(both, "published") == set()
    factories.attempt(Exercise.objects.get(name="published one"), ben, clip)
    assert shown(both, "draft") == {"published one", "mine to publish"}


def test_staff_in_no_class_find_every_exercise_by_its_state(staff, shelf, as_user):
    assert offered(as_user(staff)) == INSTRUCTORS
    assert shown(as_user(staff), "archived") == {"archived one"}
    assert "New exercise" in as_user(staff).get("/exercises/").content.decode()


def test_who_is_in_no_class_is_offered_no_filter(cyd, shelf, as_user):
    assert offered(as_user(cyd)) == []
    assert shown(as_user(cyd)) == set()


def test_the_chosen_state_stays_in_the_links_of_the_page(ada, shelf, as_user):
    page = as_user(ada).get("/exercises/", {"state": "archived", "q": "one"}).content.decode()
    assert '<input type="hidden" name="state" value="archived">' in page
    assert 'href="?state=archived&amp;q=one" aria-current="true"' in page


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York"])
def test_the_due_field_names_the_time_zone_of_the_class(zone, ada, exercise, as_user):
    Classroom.objects.update(time_zone=zone)
    for path in (f"/exercises/{exercise.pk}/edit/", "/exercises/create/"):
        page = as_user(ada).get(path).content.decode()
        assert f"time zone, {zone.replace('_', ' ')}. Leave empty" in page


def test_the_due_field_names_no_zone_while_the_class_is_still_to_be_chosen(ada, classroom, as_user):
    other = Classroom.objects.create(name="Another", time_zone="Asia/Tokyo")
    Membership.objects.create(user=ada, classroom=other, role="instructor")
    page = as_user(ada).get("/exercises/create/").content.decode()
    assert "In the class's time zone. Leave empty" in page


def manage(client: Client, exercise: Exercise) -> str:
    return client.get(f"/exercises/{exercise.pk}/").content.decode()


def test_an_exercise_is_offered_for_deletion_until_it_holds_an_attempt_or_a_comment(ada, ben, exercise, clip, as_user):
    teacher = as_user(ada)
    assert "Delete</a>" in manage(teacher, exercise)
    comment = write_comment(target=exercise.reference, author=ben, text="Elbow", now=timezone.now())
    assert "Archive</a>" in manage(teacher, exercise)
    comment.delete()
    assert "Archive</a>" not in manage(teacher, exercise)
    factories.attempt(exercise, ben, clip)
    assert "Archive</a>" in manage(teacher, exercise)
    assert "Delete</a>" not in manage(teacher, exercise)


def test_unpublishing_asks_once_there_are_attempts(ada, ben, exercise, clip, as_user):
    teacher = as_user(ada)
    assert "Unpublish it" not in manage(teacher, exercise)
    factories.attempt(exercise, ben, clip)
    assert "Unpublish it</button>" in manage(teacher, exercise)


@pytest.mark.parametrize(
    ("path", "lit"),
    [
        ("/exercises/create/", "/exercises/"),
        ("/exercises/{exercise}/", "/exercises/"),
        ("/exercises/{exercise}/edit/", "/exercises/"),
        ("/exercises/{exercise}/video/", "/exercises/"),
        ("/exercises/{exercise}/delete/", "/exercises/"),
        ("/attempts/{attempt}/", "/queue/"),
        ("/queue/", "/queue/"),
        ("/classes/{classroom}/", "/classes/"),
        ("/members/{membership}/removal/", "/classes/"),
    ],
)
def test_the_navigation_says_where_a_page_belongs(path, lit, ada, ben, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    member = Membership.objects.get(user=ben)
    keys = {"exercise": exercise.pk, "attempt": attempt.pk, "classroom": exercise.classroom_id, "membership": member.pk}
    page = as_user(ada).get(path.format(**keys)).content.decode()
    current = re.findall(r'site-nav__link" href="([^"]+)" aria-current', page)
    assert current == [lit]


def test_an_attempt_is_named_after_its_exercise_for_a_reviewer_and_lit_as_an_exercise_for_its_learner(
    ada, ben, exercise, clip, as_user
):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    heard = as_user(ada).get(f"/attempts/{attempt.pk}/").content.decode()
    assert f"<h1>Ben, attempt 1: {exercise.name}</h1>" in heard
    own = as_user(ben).get(f"/attempts/{attempt.pk}/").content.decode()
    assert 'href="/exercises/" aria-current="true"' in own


def test_a_card_that_was_drawn_before_shows_what_is_so_now(ben, exercise, as_user):
    client = as_user(ben)
    assert exercise.name in client.get("/exercises/").content.decode()
    exercise.name, exercise.due_at = "Another name", timezone.now() - timedelta(days=1)
    exercise.save()
    page = client.get("/exercises/").content.decode()
    assert "Another name" in page
    assert "Late" in page
    assert "Arms on eight counts" not in page


@pytest.mark.parametrize(
    ("in_use", "said"),
    [
        ({"q": "tango"}, "No exercise fits. Try other words.</p>"),
        ({"q": "slow tango"}, "No exercise fits. Try fewer words.</p>"),
        ({"state": "passed", "q": "tango"}, "No exercise fits. Try other words, or another state.</p>"),
        ({"classroom": "{classroom}", "state": "passed"}, "No exercise fits. Try another state.</p>"),
        ({"classroom": "a3bb189e-8bf9-3888-9912-ace4e6543002"}, "No exercise fits.</p>"),
    ],
)
def test_a_list_without_results_advises_only_what_may_help_who_is_in_one_class(in_use, said, ben, exercise, as_user):
    asked = {name: value.format(classroom=exercise.classroom_id) for name, value in in_use.items()}
    assert said in as_user(ben).get("/exercises/", asked).content.decode()


def test_a_list_without_results_advises_another_class_to_who_is_in_two(ben, exercise, as_user):
    other = Classroom.objects.create(name="Zumba")
    Membership.objects.create(user=ben, classroom=other, role="learner")
    page = as_user(ben).get("/exercises/", {"classroom": other.pk}).content.decode()
    assert "No exercise fits. Try another class.</p>" in page
