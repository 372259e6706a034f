"""The audit trail grows and never changes, but for forgetting an address and a person."""

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from core.models import AuditEvent
from core.services.audit import record_event
from tests import factories


@pytest.fixture
def event(ada, classroom) -> AuditEvent:
    made = record_event(action="class.tested", actor=ada, subject=classroom, classroom=classroom)
    AuditEvent.objects.bulk_create(
        [AuditEvent(at=timezone.now(), actor=ada, actor_label="Ada", action="seen", address="192.0.2.1")]
    )
    return made


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "other"},
        {"actor_label": "Somebody else"},
        {"at": "2020-01-01T00:00:00Z"},
        {"object_id": "1"},
        {"detail": {"changed": True}},
        {"request_id": "x"},
        {"classroom": None},
        {"address": "198.51.100.1"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_row_is_changed(changes, event):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).update(**changes)


def test_no_row_gets_another_actor(event, ben):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).update(actor=ben)


def test_no_row_is_deleted(event):
    for remove in (event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            remove()
    assert AuditEvent.objects.filter(action="class.tested").exists()


def test_the_address_is_forgotten(event):
    assert AuditEvent.objects.filter(address="192.0.2.1").update(address=None) == 1
    assert not AuditEvent.objects.filter(address__isnull=False).exists()


def test_the_actor_is_forgotten_and_the_label_still_says_who(event):
    AuditEvent.objects.filter(pk=event.pk).update(actor=None)
    event.refresh_from_db()
    assert (event.actor, event.actor_label) == (None, "Ada")


def test_what_is_done_over_http_is_written_with_the_request_and_the_address(ada, exercise, clip, as_user):
    answer = as_user(ada).post(f"/exercises/{exercise.pk}/unpublish/", REMOTE_ADDR="192.0.2.7")
    found = AuditEvent.objects.get(action="exercise.draft")
    assert (found.actor, found.actor_label, found.object_id) == (ada, "Ada", str(exercise.pk))
    assert (found.address, found.request_id) == ("192.0.2.7", answer["X-Request-ID"])


def test_every_step_of_an_attempt_is_written(ada, ben, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    as_user(ben).post(f"/attempts/{attempt.pk}/withdraw/")
    as_user(ben).post(f"/attempts/{attempt.pk}/submit/")
    as_user(ada).post(f"/attempts/{attempt.pk}/review/", {"verdict": "passed"})
    steps = AuditEvent.objects.filter(object_id=str(attempt.pk)).order_by("at")
    assert [step.action.partition(".")[2] for step in steps] == [
        "created",
        "submitted",
        "withdrawn",
        "submitted",
        "passed",
    ]
