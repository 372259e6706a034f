"""The schedule: each entry on its own, whatever becomes of the others."""

from datetime import timedelta

import pytest
from django.db import OperationalError, models

from core.models import ScheduledRun
from core.services.schedule import Entry, run_due

pytestmark = pytest.mark.django_db
HOURLY = timedelta(hours=1)


def fail() -> None:
    raise ZeroDivisionError


def test_one_entry_that_fails_stops_no_other_and_is_logged_with_its_traceback(caplog):
    ran = []
    names = run_due([Entry("fails", HOURLY, fail), Entry("runs", HOURLY, lambda: ran.append(1))])
    assert (names, ran) == (["fails", "runs"], [1])
    [told] = [record for record in caplog.records if record.message == "Scheduled run failed"]
    assert (told.entry, told.exc_info[0]) == ("fails", ZeroDivisionError)


def test_an_end_that_cannot_be_noted_stops_no_other_entry(monkeypatch, caplog):
    update = models.QuerySet.update

    def only_claims(rows, **changes):
        if "last_finished_at" in changes:
            raise OperationalError("the disk is full")
        return update(rows, **changes)

    monkeypatch.setattr(models.QuerySet, "update", only_claims)
    ran = []
    run_due([Entry("first", HOURLY, lambda: ran.append(1)), Entry("second", HOURLY, lambda: ran.append(2))])
    assert ran == [1, 2]
    noted = [record for record in caplog.records if record.message == "End of a scheduled run not noted"]
    assert [record.exc_info[0] for record in noted] == [OperationalError] * 2


def test_what_ran_lately_is_not_due():
    entry = Entry("hourly", HOURLY, lambda: None)
    assert (run_due([entry]), run_due([entry])) == (["hourly"], [])
    assert ScheduledRun.objects.get(name="hourly").last_finished_at is not None
