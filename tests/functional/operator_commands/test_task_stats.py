"""`manage.py task_stats`: what waits, what failed, who works, and trying it again."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.models import Worker
from core.services.processing import cancel_job
from tests import factories, videos
from tests.functional.preparing import jobs_of, run_tasks, stored


def task_stats(capsys, *arguments) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        call_command("task_stats", *arguments)
    return end.value.code, capsys.readouterr().out


def test_task_stats_says_what_waits_and_who_works(ben, classroom, webm, capsys):
    assert task_stats(capsys)[0] == 0
    video = stored(ben, classroom, webm)
    code, out = task_stats(capsys, "--json")
    assert code == 1
    assert '"queued": 2' in out
    assert '"stuck": true' in out
    Worker.objects.create(name="one", started_at=timezone.now(), seen_at=timezone.now())
    assert task_stats(capsys)[0] == 0
    cancel_job(job=jobs_of(video)["web"])
    code, out = task_stats(capsys, "--failed")
    assert code == 1
    assert str(jobs_of(video)["web"].pk) in out
    assert task_stats(capsys, "--retry-failed")[0] == 0
    assert jobs_of(video)["web"].state == "queued"


def test_what_was_no_video_is_counted_apart_since_nobody_can_mend_it(ben, classroom, tmp_path, capsys):
    factories.uploaded(ben, classroom, videos.noise(tmp_path))
    run_tasks()
    code, out = task_stats(capsys, "--failed", "--json")
    assert code == 0
    assert '"failed": 0, "refused": 1' in out
    assert '"failed_jobs": []' in out
