"""The digest: one mail that tells a person what is new and what they have not been here to see.

# Note [What is news]
Everything younger than LOOKED_BACK that concerns a person and happened after they were last here and after their last
digest. It waits SETTLED first: whoever is practising finds it on the page, and a comment that is taken back is not
told. So nothing is told twice, nothing that was seen is told, and a class that is busy all day makes one mail a day.
The digest says who did what and where; what was said stays on the site, behind the log-in.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from smtplib import SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.core.mail import get_connection, send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Membership, User
from comments.models import Comment
from core.models import VideoAsset
from exercises.models import Attempt, Exercise

logger = logging.getLogger(__name__)

SETTLED = timedelta(hours=1)
LOOKED_BACK = timedelta(days=3)
BETWEEN = timedelta(hours=20)


@dataclass(frozen=True)
class News:
    """One line of somebody's digest: what happened, and the page that shows it."""

    sentence: str
    path: str


def send_digests(*, now: datetime) -> int:
    """Mail everyone who wants it and has news; return how many mails left.

    A mail server that is away raises what smtplib raises; whoever was not reached is due again at the next run.
    """
    told = 0
    with get_connection() as connection:
        for person, news in _news_by_person(now).items():
            told += _tell(person, news, now, connection)
    return told


def _tell(person: User, news: list[News], now: datetime, connection: Any) -> bool:
    """Send one digest; whoever marks the person first sends it, so that two workers never both do."""
    subject = news[0].sentence if len(news) == 1 else f"{len(news)} things are new for you"
    context = {"person": person, "news": news, "site_url": settings.BASE_URL, "profile": reverse("accounts:profile")}
    body = render_to_string("mail/digest.txt", context)
    mine = User.objects.filter(pk=person.pk, wants_digest=True, digest_sent_at=person.digest_sent_at)
    if not mine.update(digest_sent_at=now):
        return False
    try:
        send_mail(f"Practika: {' '.join(subject.split())}", body, None, [person.email], connection=connection)
    except SMTPRecipientsRefused:  # this address only; the others are still told
        logger.warning("Digest refused by the mail server", extra={"user_id": str(person.pk)}, exc_info=True)
        return False
    except Exception:  # whatever keeps mail from leaving, it is due again; the schedule logs what is raised
        User.objects.filter(pk=person.pk, digest_sent_at=now).update(digest_sent_at=person.digest_sent_at)
        raise
    return True


def _news_by_person(now: datetime) -> dict[User, list[News]]:
    """Return what is new for each person who wants to be told and was not told lately, oldest first."""
    found: dict[User, list[News]] = defaultdict(list)
    for person, news in chain(_sent_in(now), _answered(now), _said(now)):
        found[person].append(news)
    return found


def _window(now: datetime) -> tuple[datetime, datetime]:
    return now - LOOKED_BACK, now - SETTLED


def _is_news(person: User, at: datetime | None, now: datetime) -> bool:
    """Return whether `person` wants to be told, may log in, was not told lately, and has not seen it."""
    told, seen = person.digest_sent_at, person.last_seen_at
    if at is None or not (person.wants_digest and person.is_active) or (told and told > now - BETWEEN):
        return False
    return not (told and told >= at) and not (seen and seen >= at)


def _sent_in(now: datetime) -> Iterator[tuple[User, News]]:
    """Attempts that wait, for each instructor of the class."""
    waiting = Attempt.objects.filter(state=Attempt.State.SUBMITTED, submitted_at__range=_window(now))
    attempts = list(waiting.select_related("learner", "exercise").order_by("submitted_at", "pk"))
    members = Membership.objects.instructors().filter(classroom__in={one.exercise.classroom_id for one in attempts})
    instructors = defaultdict(list)
    for member in members.select_related("user"):
        instructors[member.classroom_id].append(member.user)
    for attempt in attempts:
        sentence = f"{attempt.learner.name} sent attempt {attempt.number} of {attempt.exercise.name}"
        for person in instructors[attempt.exercise.classroom_id]:
            if _is_news(person, attempt.submitted_at, now):
                yield person, News(sentence, reverse("exercises:attempt", args=[attempt.pk]))


def _answered(now: datetime) -> Iterator[tuple[User, News]]:
    """Answers to one's own attempts."""
    answered = Attempt.objects.filter(reviewed_at__range=_window(now))
    for attempt in answered.select_related("learner", "reviewed_by", "exercise").order_by("reviewed_at", "pk"):
        if attempt.reviewed_by and _is_news(attempt.learner, attempt.reviewed_at, now):
            of = f"your attempt {attempt.number} of {attempt.exercise.name}"
            sentence = f"{attempt.reviewed_by.name} answered {of}: {attempt.get_state_display()}"
            yield attempt.learner, News(sentence, reverse("exercises:attempt", args=[attempt.pk]))


def _said(now: datetime) -> Iterator[tuple[User, News]]:
    """Comments of others on one's own videos, and replies to what one said; counted by who wrote where."""
    written = Comment.objects.filter(created_at__range=_window(now), deleted_at=None)
    counts: Counter[tuple[User, User, VideoAsset]] = Counter()
    for comment in written.select_related("author", "target__owner", "parent__author").order_by("created_at", "pk"):
        for person in {comment.target.owner, comment.parent.author if comment.parent else comment.target.owner}:
            if person != comment.author and _is_news(person, comment.created_at, now):
                counts[person, comment.author, comment.target] += 1
    for (person, author, target), count in counts.items():
        if (page := _page(target)) and VideoAsset.objects.visible_to(person).filter(pk=target.pk).exists():
            name, path = page
            yield person, News(f"{author.name} wrote {count} comment{'s' * (count > 1)} on {name}", path)


def _page(video: VideoAsset) -> tuple[str, str] | None:
    """Return the name and path of the page that shows a video, if one does."""
    if attempt := Attempt.objects.filter(video=video).select_related("exercise").first():
        return f"attempt {attempt.number} of {attempt.exercise.name}", reverse("exercises:attempt", args=[attempt.pk])
    if exercise := Exercise.objects.filter(reference=video).first():
        return exercise.name, reverse("exercises:detail", args=[exercise.pk])
    return None
