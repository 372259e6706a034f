"""Local storage refuses a second machine: a worker with another media folder does not start, and both are told."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils import timezone

from core.models import Worker
from core.services.one_folder import forget_sign, signed_name
from core.services.schedule import prune_tasks
from tests.functional.operator_commands.command import lines_of, run

pytestmark = [pytest.mark.django_db, pytest.mark.one_stack("development", why="is about the local folder")]


@pytest.fixture
def elsewhere(settings, tmp_path):
    """A worker that lives, with the same database and a media folder of its own."""
    here = settings.MEDIA_ROOT
    settings.MEDIA_ROOT = tmp_path / "another"
    name = signed_name("other:1:abcd")
    settings.MEDIA_ROOT = here
    Worker.objects.create(name=name, started_at=Now(), seen_at=Now())
    return name


def test_a_worker_with_another_folder_does_not_start_and_leaves_nothing(elsewhere, settings):
    with pytest.raises(CommandError, match="Not started: local storage, but the worker other:1:abcd uses another"):
        call_command("worker", "--batch")
    assert list(Worker.objects.values_list("name", flat=True)) == [elsewhere]
    assert list((settings.MEDIA_ROOT / ".workers").iterdir()) == []


@pytest.mark.django_db(transaction=True)  # other threads ask
def test_the_preflight_and_ready_name_it(elsewhere, client):
    code, printed = run("preflight")
    assert (code, lines_of(printed)["storage"][0]) == (1, "fail")
    assert "move the videos to S3" in printed
    assert client.get("/core/ready/").json()["components"]["worker"]["status"] == "fail"


def test_a_worker_that_shares_the_folder_starts_and_takes_its_sign_along(settings):
    other = signed_name("other:1:abcd")
    Worker.objects.create(name=other, started_at=Now(), seen_at=Now())
    call_command("worker", "--batch")
    assert [path.name for path in (settings.MEDIA_ROOT / ".workers").iterdir()] == [other]
    forget_sign(other)


def test_with_s3_any_number_may_work_and_older_workers_are_no_strangers(settings, elsewhere):
    settings.USE_S3 = True
    assert signed_name("this:1:abcd") == "this:1:abcd"
    settings.USE_S3 = False
    Worker.objects.update(name="older:1:abcd")
    call_command("worker", "--batch")


def test_a_folder_that_cannot_be_written_is_said(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="DJANGO_MEDIA_ROOT"):
        call_command("worker", "--batch")


def test_the_sign_of_a_worker_that_was_killed_goes_after_a_day(settings):
    before = timezone.now() - timedelta(days=2)
    Worker.objects.create(name=signed_name("killed"), started_at=before, seen_at=before)
    prune_tasks()
    assert not Worker.objects.exists()
    assert list((settings.MEDIA_ROOT / ".workers").iterdir()) == []
