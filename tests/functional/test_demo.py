"""The demo shows every step of the story: to do, waiting for an answer, answered at a moment."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from comments.models import Comment
from exercises.models import Attempt


@pytest.fixture
def demo(db) -> None:
    call_command("seed_demo", learners=2, verbosity=0)


def test_the_demo_tells_the_whole_story(demo, as_user):
    states = Attempt.objects.order_by("submitted_at").values_list("exercise__name", "state", "learner__name")
    assert list(states) == [("Side steps in time", "redo", "Ben"), ("Arms on eight counts", "submitted", "Ben")]
    answered = Attempt.objects.get(state="redo")
    comment = Comment.objects.get(target=answered.video)
    assert (comment.author.name, answered.reviewed_by.name) == ("Ada", "Ada")
    assert 0 < comment.at_ms < answered.video.duration_ms

    learner = as_user(User.objects.get(name="Ben"))
    home = learner.get("/").content.decode()
    assert "Try again" in home
    page = learner.get(f"/attempts/{answered.pk}/").content.decode()
    assert "asks for another try" in page
    assert comment.text in page
    other = as_user(User.objects.get(name="Learner 2"))
    assert other.get("/exercises/?state=to+do").content.decode().count("card__link") == 2
    queue = as_user(User.objects.get(name="Ada")).get("/queue/").content.decode()
    assert str(Attempt.objects.get(state="submitted").pk) in queue
    assert str(answered.pk) not in queue

    with pytest.raises(CommandError, match="There are accounts already"):
        call_command("seed_demo", verbosity=0)
