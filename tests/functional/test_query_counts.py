"""Pages ask as many questions of the database for many rows as for few.

# Note [What a page asks besides its rows]
Every page reads the session and the reader, and asks once where the reader takes part (accounts/places.py). The list
of exercises reads its rows in one query, and the states of the reader's own attempts at them in another.
"""

import uuid
from copy import copy
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, User
from comments.models import Comment
from exercises.models import Exercise
from tests import factories

MORE = 15


def copies(row, number: int, **fields) -> list:
    """Store copies of a row, each a second older than the one before."""
    made = []
    for index in range(number):
        one = copy(row)
        one._state = copy(row._state)
        one.pk, one._state.adding = uuid.uuid4(), True
        one.created_at = timezone.now() - timedelta(seconds=index)
        for name, values in fields.items():
            setattr(one, name, values[index])
        made.append(one)
    return type(row).objects.bulk_create(made)


def queries(client, path: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = client.get(path)
    assert answer.status_code == 200
    return [query["sql"] for query in asked.captured_queries if "SAVEPOINT" not in query["sql"]]


@pytest.fixture
def attempt(ben, exercise, clip):
    return factories.attempt(exercise, ben, clip, submitted=True)


@pytest.fixture
def grow(classroom, exercise, attempt, ada, ben):
    """Return a function that adds people, exercises, attempts, and comments."""

    def add() -> None:
        people = User.objects.bulk_create(
            [User(email=f"{uuid.uuid4()}@example.org", name=f"Learner {number}") for number in range(MORE)]
        )
        Membership.objects.bulk_create([Membership(user=user, classroom=classroom, role="learner") for user in people])
        copies(exercise, MORE)
        videos = copies(attempt.video, MORE, owner=people)
        copies(attempt, MORE, video=videos, learner=people, submitted_at=[timezone.now()] * MORE)
        mine = copies(attempt.video, MORE)
        at_each = copies(exercise, MORE, name=[f"Own {number}" for number in range(MORE)])
        copies(attempt, MORE, video=mine, exercise=at_each)
        for video in (exercise.reference, attempt.video):
            tops = [
                Comment(target=video, author=user, text="Look", at_ms=5, created_at=timezone.now()) for user in people
            ]
            Comment.objects.bulk_create(tops)
            Comment.objects.bulk_create(
                [Comment(target=video, author=ada, text="Yes", parent=top, created_at=timezone.now()) for top in tops]
            )

    return add


@pytest.mark.parametrize("name", ["ada", "ben", "staff"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/exercises/",
        "/exercises/?q=arms&state=to+do",
        "/exercises/{exercise}/",
        "/attempts/{attempt}/",
        "/queue/",
        "/classes/",
        "/classes/{classroom}/",
    ],
)
def test_a_page_asks_the_same_however_much_there_is(path, name, request, exercise, attempt, grow, as_user):
    client = as_user(request.getfixturevalue(name))
    path = path.format(exercise=exercise.pk, attempt=attempt.pk, classroom=exercise.classroom_id)
    grow()  # once before counting: what is there at all may take a query of its own
    client.get(path)
    before = queries(client, path)
    grow()
    after = queries(client, path)
    assert len(after) == len(before), "\n".join(after)
    assert len(after) <= 14, "\n".join(after)


def test_the_list_reads_its_rows_in_one_query_and_asks_two_more_things(ben, exercise, as_user, grow):
    client = as_user(ben)
    grow()
    client.get("/exercises/")
    asked = queries(client, "/exercises/")
    session, reader, *rest = asked
    assert "django_session" in session
    assert "accounts_user" in reader
    assert len([sql for sql in rest if sql.startswith('SELECT "exercises_exercise"')]) == 1
    assert len(rest) == 3, "\n".join(rest)


def test_the_second_page_of_the_list_costs_what_the_first_does_and_repeats_nothing(ben, exercise, as_user, grow):
    client = as_user(ben)
    grow()
    seen, path = [], "/exercises/"
    costs = set()
    while path:
        with CaptureQueriesContext(connection) as asked:
            context = client.get(path).context
        costs.add(len(asked))
        seen += [one.pk for one in context["exercises"]]
        path = context["older_url"]
    assert sorted(seen) == sorted(Exercise.objects.values_list("pk", flat=True))
    assert len(seen) > 24
    assert len(costs) <= 2  # the first request also notes that one was here
