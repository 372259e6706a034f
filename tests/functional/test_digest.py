"""The digest by e-mail: told once, to whom it concerns, and only what they have not seen."""

import re
import smtplib
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from accounts.models import User
from comments.services import write_comment
from core.services import schedule
from exercises.services.attempts import review_attempt
from practika_project.digest import send_digests
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(exercise, ben, clip):
    """Ben's attempt, submitted just now."""
    return factories.attempt(exercise, ben, clip, submitted=True)


def later(**ahead):
    return timezone.now() + timedelta(**(ahead or {"hours": 2}))


def test_an_instructor_is_told_of_an_attempt_that_waits_and_where(attempt, mailoutbox, settings):
    assert send_digests(now=later()) == 1
    [mail] = mailoutbox
    assert mail.to == ["ada@example.org"]
    assert mail.subject == "Practika: Ben sent attempt 1 of Arms on eight counts"
    assert f"{settings.BASE_URL}/attempts/{attempt.pk}/" in mail.body
    assert f"{settings.BASE_URL}/accounts/profile/" in mail.body


def test_a_learner_is_told_of_the_answer_and_of_the_comments_but_not_what_they_say(attempt, ada, ben, mailoutbox):
    User.objects.filter(pk=ada.pk).update(last_seen_at=timezone.now())
    for text in ("Heels down.", "Elbows up."):
        write_comment(target=attempt.video, author=ada, text=text, now=timezone.now())
    review_attempt(attempt=attempt, verdict="redo", by=ada, now=timezone.now())
    assert send_digests(now=later()) == 1
    [mail] = mailoutbox
    assert mail.to == ["ben@example.org"]
    assert mail.subject == "Practika: 2 things are new for you"
    assert "Ada answered your attempt 1 of Arms on eight counts: redo" in mail.body
    assert "Ada wrote 2 comments on attempt 1 of Arms on eight counts" in mail.body
    assert "Heels" not in mail.body


def test_whoever_said_something_is_told_of_the_reply(exercise, ada, ben, mailoutbox):
    question = write_comment(target=exercise.reference, author=ben, text="Which count?", now=timezone.now())
    write_comment(target=exercise.reference, author=ada, text="Two.", parent=question, now=timezone.now())
    send_digests(now=later())
    lines = {mail.to[0]: re.findall(r"^- (.+)$", mail.body, re.MULTILINE) for mail in mailoutbox}
    assert lines == {
        "ada@example.org": ["Ben wrote 1 comment on Arms on eight counts"],
        "ben@example.org": ["Ada wrote 1 comment on Arms on eight counts"],
    }


def test_nothing_is_told_twice_and_no_second_mail_comes_the_same_day(attempt, exercise, dee, clip, mailoutbox):
    send_digests(now=later())
    factories.attempt(exercise, dee, clip, submitted=True)
    assert [send_digests(now=later(hours=hours)) for hours in (2, 4, 12)] == [0, 0, 0]
    assert len(mailoutbox) == 1


def test_what_came_after_the_last_digest_is_told_the_day_after(attempt, exercise, ada, dee, clip, mailoutbox):
    User.objects.filter(pk=ada.pk).update(digest_sent_at=timezone.now())
    factories.attempt(exercise, dee, clip, submitted=True)
    send_digests(now=later(hours=30))
    assert mailoutbox[0].subject == "Practika: Dee sent attempt 1 of Arms on eight counts"


@pytest.mark.parametrize(
    "change",
    [{"wants_digest": False}, {"is_active": False}, {"last_seen_at": "now"}],
    ids=["does not want it", "may not log in", "has been here since"],
)
def test_nobody_is_told_who(attempt, ada, mailoutbox, change):
    changes = {field: timezone.now() if value == "now" else value for field, value in change.items()}
    User.objects.filter(pk=ada.pk).update(**changes)
    assert (send_digests(now=later()), mailoutbox) == (0, [])


def test_what_is_younger_than_an_hour_waits(attempt, mailoutbox):
    assert (send_digests(now=later(minutes=30)), mailoutbox) == (0, [])


def test_an_attempt_that_was_taken_back_is_not_told(attempt, ben, as_user, mailoutbox):
    as_user(ben).post(f"/attempts/{attempt.pk}/withdraw/")
    assert (send_digests(now=later()), mailoutbox) == (0, [])


def test_comments_are_not_told_to_one_who_may_see_the_video_no_more(exercise, ada, ben, classroom, mailoutbox):
    question = write_comment(target=exercise.reference, author=ben, text="Which count?", now=timezone.now())
    write_comment(target=exercise.reference, author=ada, text="Two.", parent=question, now=timezone.now())
    classroom.memberships.filter(user=ben).delete()
    send_digests(now=later())
    assert [mail.to for mail in mailoutbox] == [["ada@example.org"]]


def test_an_address_that_is_refused_keeps_nobody_else_from_being_told(attempt, classroom, mailoutbox, monkeypatch):
    send = EmailMessage.send

    def refuse_ada(mail, *arguments, **options):
        if mail.to == ["ada@example.org"]:
            raise smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no such mailbox")})
        return send(mail, *arguments, **options)

    second = factories.person("Eve")
    classroom.memberships.create(user=second, role="instructor")
    monkeypatch.setattr(EmailMessage, "send", refuse_ada)
    assert send_digests(now=later()) == 1
    assert mailoutbox[0].to == ["eve@example.org"]


def test_a_sender_that_the_server_refuses_is_nobodys_digest_and_is_tried_again(attempt, ada, monkeypatch):
    def refuse_us(mail, *arguments, **options):
        raise smtplib.SMTPSenderRefused(550, b"not from you", "practika@example.org")

    monkeypatch.setattr(EmailMessage, "send", refuse_us)
    with pytest.raises(smtplib.SMTPSenderRefused):
        send_digests(now=later())
    ada.refresh_from_db()
    assert ada.digest_sent_at is None


def test_while_the_mail_server_is_away_nobody_counts_as_told(attempt, ada, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nothing listens there
    with pytest.raises(ConnectionRefusedError):
        send_digests(now=later())
    ada.refresh_from_db()
    assert ada.digest_sent_at is None


def test_the_profile_turns_it_off(ada, as_user):
    as_user(ada).post("/accounts/profile/", {"name": "Ada", "time_zone": "UTC"})
    ada.refresh_from_db()
    assert ada.wants_digest is False


def test_the_queries_do_not_grow_with_the_news(exercise, classroom, clip, django_assert_max_num_queries):
    for name in ("Gil", "Hal", "Ida"):
        learner = factories.person(name)
        classroom.memberships.create(user=learner, role="learner")
        factories.attempt(exercise, learner, clip, submitted=True)
    with django_assert_max_num_queries(5):
        send_digests(now=later())


def test_it_is_on_the_schedule():
    assert "digest" in [entry.name for entry in schedule.SCHEDULE]
