"""audit lists the trail."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from core.models import AuditEvent
from tests.functional.operator_commands.command import run
from tests.functional.test_backup_postgres import server  # noqa: F401


@pytest.fixture
def trail(ada, ben, classroom):
    """Three events: Ada's of an hour and of a week ago, and Ben's of now."""
    now = timezone.now()
    for who, action, hours in (
        (ada, "exercise.published", 1),
        (ada, "class.renamed", 24 * 7),
        (ben, "exercise.seen", 0),
    ):
        AuditEvent.objects.create(
            at=now - timedelta(hours=hours), actor=who, actor_label=str(who), action=action,
            object_type="exercise", object_id=f"{action}-key", address="192.0.2.1",
        )  # fmt: skip


def actions(*arguments):
    code, printed = run("audit", "--json", *arguments)
    assert code == 0
    return [event["action"] for event in json.loads(printed)]


def test_the_trail_is_listed_newest_first(trail):
    assert actions() == ["exercise.seen", "exercise.published", "class.renamed"]
    assert actions("--limit", "1") == ["exercise.seen"]
    code, printed = run("audit")
    assert code == 0
    assert printed.splitlines()[0].split()[2:] == [
        "exercise.seen", "ben@example.org", "192.0.2.1", "exercise:exercise.seen-key"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--actor", "ADA@example.org"], ["exercise.published", "class.renamed"]),
        (["--actor", "Ben"], ["exercise.seen"]),
        (["--action", "exercise"], ["exercise.seen", "exercise.published"]),
        (["--action", "exercise.published"], ["exercise.published"]),
        (["--action", "exer"], []),
        (["--object", "class.renamed-key"], ["class.renamed"]),
        (["--object", "exercise:class.renamed-key"], ["class.renamed"]),
        (["--object", "attempt"], []),
        (["--since", "2d"], ["exercise.seen", "exercise.published"]),
        (["--since", "30m"], ["exercise.seen"]),
        (["--since", "2099-01-01"], []),
        (["--since", "2020-01-01T00:00Z", "--actor", "ben"], ["exercise.seen"]),
    ],
)
def test_the_trail_is_narrowed_by_each_option(arguments, found, trail):
    assert actions(*arguments) == found


def test_a_person_is_found_by_their_key(trail, ben):
    assert actions("--actor", str(ben.pk)) == ["exercise.seen"]


@pytest.mark.parametrize("since", ["yesterday", "7", "2026-13-01", "99999w"])
def test_what_is_no_moment_is_2(db, since):
    code, printed = run("audit", "--since", since)
    assert code == 2
    assert "is no moment" in printed


def test_a_name_with_control_characters_does_nothing_to_the_terminal(db):
    AuditEvent.objects.create(at=timezone.now(), actor_label="\x1b[2J\nEve", action="seen", object_id="1")
    _, printed = run("audit")
    assert "\\x1b[2J\\nEve" in printed
    assert printed.count("\n") == 1


def test_a_trail_without_such_an_event_says_so(trail):
    assert run("audit", "--actor", "nobody@example.org") == (0, "No event fits all of that.\n")


def test_a_reader_who_has_seen_enough_gets_no_traceback():
    seen, reader = os.pipe()
    os.close(seen)
    command = [sys.executable, "manage.py", "help"]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], stdout=reader, stderr=subprocess.PIPE, timeout=120)
    os.close(reader)
    assert (ended.returncode, ended.stderr) == (141, b"")
