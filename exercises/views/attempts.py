"""Attempts: a learner sends, submits, and withdraws them; an instructor answers."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Classroom
from accounts.places import Role, places
from core.http import AuthenticatedRequest, done, form_page, receives_video
from core.models import VideoAsset
from core.refusals import VideoRefused
from exercises.forms import ReviewForm, VideoForm
from exercises.models import Attempt, Exercise
from exercises.services.attempts import (
    AttemptNotPossible,
    delete_draft,
    review_attempt,
    save_attempt,
    submit_attempt,
    withdraw_attempt,
)
from exercises.views.exercises import detail_context, shown


@require_http_methods(["GET", "HEAD", "POST"])
@receives_video
def attempt_create(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Take a learner's video as their draft; what leads back here, where one was refused, goes to the exercise."""
    exercise = shown(request, pk)
    if request.method != "POST":
        return redirect("exercises:detail", pk=exercise.pk)
    if places(request).role_in(exercise.classroom_id) != Role.LEARNER:
        raise PermissionDenied("Only the learners of the class send attempts.")
    form = VideoForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            attempt = save_attempt(
                exercise=exercise,
                learner=request.user,
                video=form.cleaned_data["video"],
                now=timezone.now(),
            )
        except (VideoRefused, AttemptNotPossible) as refusal:
            form.add_error("video", refusal.sentence)
        else:
            messages.success(request, "Here is your attempt. Watch it, then submit it.")
            return done(request, reverse("exercises:attempt", args=[attempt.pk]))
    return form_page(request, "exercises/detail.html", form, detail_context(request, exercise, form))


@require_safe
def attempt(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Show an attempt beside its reference, with what one may do next."""
    found = _visible(request, pk)
    is_owner = found.learner_id == request.user.pk
    may_review = found.state == Attempt.State.SUBMITTED and _teaches(request, found)
    waiting = Attempt.objects.waiting_for(request.user).exclude(pk=found.pk).as_rows()
    of_learner = Attempt.objects.filter(exercise=found.exercise_id, learner=found.learner_id)
    others = list(of_learner.side_by_side().order_by("-number"))
    videos = VideoAsset.objects.visible_to(request.user).filter(
        pk__in=[found.reference_id, *(one.video_id for one in others)]
    )
    seen = set(videos.values_list("pk", flat=True))
    return render(
        request,
        "exercises/attempt.html",
        {
            "attempt": found,
            "exercise": found.exercise,
            "is_owner": is_owner,
            "newer": next((one for one in others if one.number > found.number), None),
            "may_submit": is_owner and found.state == Attempt.State.DRAFT,
            "may_withdraw": is_owner and found.state == Attempt.State.SUBMITTED,
            "may_delete": is_owner and found.state == Attempt.State.DRAFT,
            "may_review": may_review,
            "exercise_visible": Exercise.objects.visible_to(request.user).filter(pk=found.exercise_id).exists(),
            "reference_visible": found.reference_id in seen,
            "others": [one for one in others if one.video_id in seen],
            "next_waiting": None if is_owner else waiting.first(),
        },
    )


@require_POST
def attempt_submit(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Hand one's draft in."""
    found = _own(request, pk)
    if request.POST.get("video") not in {None, str(found.video_id)}:
        messages.error(request, "This draft has another video now, sent from another window. Watch it, then submit it.")
        return redirect("exercises:attempt", pk=found.pk)
    try:
        submit_attempt(attempt=found, now=timezone.now())
        messages.success(request, "Submitted. Your instructor has it now.")
    except AttemptNotPossible as refusal:
        messages.error(request, refusal.sentence)
    return redirect("exercises:attempt", pk=found.pk)


@require_POST
def attempt_withdraw(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Take one's attempt back before it is reviewed."""
    found = _own(request, pk)
    try:
        withdraw_attempt(attempt=found, now=timezone.now())
        messages.success(request, "Taken back. It is a draft again, and only you see it.")
    except AttemptNotPossible as refusal:
        messages.error(request, refusal.sentence)
    return redirect("exercises:attempt", pk=found.pk)


@require_POST
def attempt_delete(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Delete one's draft."""
    found = _own(request, pk)
    try:
        delete_draft(attempt=found, now=timezone.now())
        messages.success(request, "The draft is deleted.")
    except AttemptNotPossible as refusal:
        messages.error(request, refusal.sentence)
        return redirect("exercises:attempt", pk=found.pk)
    return redirect("exercises:detail", pk=found.exercise_id)


@require_POST
def attempt_review(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Answer a submitted attempt, then lead to the next that waits."""
    if _was_taken_back(request, pk):
        messages.error(request, "The learner has taken this attempt back. It comes again when it is ready.")
        return redirect("exercises:queue")
    found = _visible(request, pk)
    if not _teaches(request, found):
        raise PermissionDenied("Only the instructors of the class answer attempts.")
    form = ReviewForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["verdict"][0]))
        return redirect("exercises:attempt", pk=found.pk)
    try:
        review_attempt(attempt=found, verdict=form.cleaned_data["verdict"], by=request.user, now=timezone.now())
    except AttemptNotPossible as refusal:
        messages.error(request, refusal.sentence)
        return redirect("exercises:attempt", pk=found.pk)
    following = Attempt.objects.waiting_for(request.user).first()
    answered = f"{found.learner} has your answer: {found.get_state_display()}."
    if following:
        messages.success(request, f"{answered} This one waits next.")
        return redirect("exercises:attempt", pk=following.pk)
    messages.success(request, f"{answered} Nothing else waits.")
    return redirect("exercises:queue")


def _visible(request: AuthenticatedRequest, pk: str) -> Attempt:
    rows = Attempt.objects.visible_to(request.user).select_related(
        "exercise__classroom", "learner", "video", "reference", "reviewed_by"
    )
    return get_object_or_404(rows, pk=pk)


def _was_taken_back(request: AuthenticatedRequest, pk: str) -> bool:
    """Return whether a reviewer's page is about an attempt that is a draft again, and so not theirs to see."""
    drafts = Attempt.objects.filter(pk=pk, state=Attempt.State.DRAFT, submitted_at=None)
    taught = Classroom.objects.taught_by(request.user)
    return drafts.filter(exercise__classroom__in=taught).exclude(learner=request.user).exists()


def _own(request: AuthenticatedRequest, pk: str) -> Attempt:
    """Return one's own attempt; 404 when one may not see it, 403 when it is somebody else's."""
    found = _visible(request, pk)
    if found.learner_id != request.user.pk:
        raise PermissionDenied("Only its learner changes an attempt.")
    return found


def _teaches(request: AuthenticatedRequest, found: Attempt) -> bool:
    return places(request).teaches_in(found.exercise.classroom_id)
