"""One exercise: practise it, and for its instructors make, change, publish, and remove it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Classroom, User
from accounts.places import Role, places
from core.http import AuthenticatedRequest, done, form_page, receives_video
from core.refusals import VideoRefused
from exercises.cards import standing
from exercises.forms import ExerciseForm, VideoForm
from exercises.models import Attempt, Exercise
from exercises.services.attempts import refusal_to_attempt
from exercises.services.exercises import (
    create_exercise,
    delete_exercise,
    edit_exercise,
    publish_exercise,
    replace_reference,
    unpublish_exercise,
    will_archive,
)

GET_OR_POST = ["GET", "HEAD", "POST"]
SHOWN_ATTEMPTS = 100


@require_safe
def detail(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Show an exercise with one's attempts; its instructors see what was submitted."""
    exercise = shown(request, pk)
    return render(request, "exercises/detail.html", detail_context(request, exercise, VideoForm()))


def detail_context(request: AuthenticatedRequest, exercise: Exercise, form: VideoForm) -> dict[str, Any]:
    """Return what the page of an exercise shows; the exercise comes from `shown`."""
    user, role = request.user, places(request).role_in(exercise.classroom_id)
    may_edit = role == Role.INSTRUCTOR or user.is_staff
    shown_attempts = _attempts(exercise, user, submitted_too=may_edit)
    mine = sorted((one for one in shown_attempts if one.learner_id == user.pk), key=lambda one: -one.number)
    newest = mine[0] if mine else None
    stands = standing(role, newest.state if newest else None, exercise.due_at, timezone.now())
    refusal = refusal_to_attempt(exercise=exercise, newest=newest)
    context = {
        "exercise": exercise,
        "attempts": mine,
        "draft": newest if newest and newest.state == Attempt.State.DRAFT else None,
        "may_attempt": stands.learns and not refusal,
        "attempt_refusal": refusal if stands.learns else "",
        "attempt_form": form,
        "my_state": stands.my_state,
        "is_late": stands.is_late,
    }
    return context | (_managed(exercise, shown_attempts) if may_edit else {})


def _attempts(exercise: Exercise, user: User, *, submitted_too: bool) -> list[Attempt]:
    """Return the reader's own attempts, the newest first, and for those who answer them what others submitted."""
    shown = Q(learner=user) | ~Q(state=Attempt.State.DRAFT) if submitted_too else Q(learner=user)
    return list(exercise.attempts.filter(shown).side_by_side().order_by("-created_at", "-pk")[:SHOWN_ATTEMPTS])


def _managed(exercise: Exercise, shown_attempts: list[Attempt]) -> dict[str, Any]:
    """Return what is shown to those who may change an exercise."""
    submitted = [(one.submitted_at, one.pk, one) for one in shown_attempts if one.submitted_at]
    has_attempts = bool(submitted) or exercise.attempts.exists()
    return {
        "may_edit": True,
        "submitted_attempts": [one for _, _, one in sorted(submitted, reverse=True)],
        "has_attempts": has_attempts,
        "will_archive": has_attempts or will_archive(exercise),
    }


@require_http_methods(GET_OR_POST)
@receives_video
def create(request: AuthenticatedRequest) -> HttpResponse:
    """Make a draft from a form with a video."""
    if not Classroom.objects.visible_to(request.user).exists():
        raise Http404
    if not Classroom.objects.managed_by(request.user).exists():
        raise PermissionDenied("Only instructors make exercises. Ask for that role in your class.")
    if request.method != "POST":
        return form_page(request, "exercises/form.html", ExerciseForm(user=request.user), {})
    form = ExerciseForm(request.POST, request.FILES, user=request.user)
    if form.is_valid():
        try:
            exercise = create_exercise(by=request.user, now=timezone.now(), **form.cleaned_data)
        except VideoRefused as refusal:
            form.add_error("video", refusal.sentence)
        else:
            messages.success(request, "Saved as a draft. Watch it once, then publish it.")
            return done(request, reverse("exercises:detail", args=[exercise.pk]))
    return form_page(request, "exercises/form.html", form, {})


@require_http_methods(GET_OR_POST)
def edit(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Change what an exercise says."""
    exercise = editable(request, pk)
    sent = request.POST if request.method == "POST" else None
    form = ExerciseForm(sent, user=request.user, exercise=exercise)
    if request.method == "POST" and form.is_valid():
        edit_exercise(exercise=exercise, by=request.user, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("exercises:detail", pk=exercise.pk)
    return form_page(request, "exercises/form.html", form, {"exercise": exercise})


@require_http_methods(GET_OR_POST)
@receives_video
def replace_video(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Give an exercise another reference video."""
    exercise = editable(request, pk)
    if request.method != "POST":
        return form_page(request, "exercises/replace_video.html", VideoForm(), {"exercise": exercise})
    form = VideoForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            replace_reference(exercise=exercise, video=form.cleaned_data["video"], by=request.user, now=timezone.now())
        except VideoRefused as refusal:
            form.add_error("video", refusal.sentence)
        else:
            messages.success(request, "The video is replaced. Attempts made so far keep the one they answered.")
            return done(request, reverse("exercises:detail", args=[exercise.pk]))
    return form_page(request, "exercises/replace_video.html", form, {"exercise": exercise})


@require_POST
def publish(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Show an exercise to its class."""
    exercise = editable(request, pk)
    publish_exercise(exercise=exercise, by=request.user, now=timezone.now())
    messages.success(request, f"Published. Everyone in {exercise.classroom} can practise it now.")
    return redirect("exercises:detail", pk=exercise.pk)


@require_POST
def unpublish(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Take an exercise back to its instructors."""
    exercise = editable(request, pk)
    unpublish_exercise(exercise=exercise, by=request.user, now=timezone.now())
    messages.success(request, "Taken back. Only instructors see it now; attempts are kept.")
    return redirect("exercises:detail", pk=exercise.pk)


@require_http_methods(GET_OR_POST)
def delete(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Ask, then delete an exercise, or archive one that holds other people's work."""
    exercise = editable(request, pk)
    if request.method != "POST":
        context = {"exercise": exercise, "will_archive": will_archive(exercise)}
        return render(request, "exercises/confirm_delete.html", context)
    deleted = delete_exercise(exercise=exercise, by=request.user, now=timezone.now())
    messages.success(request, "Deleted." if deleted else "Archived. Attempts and comments are kept.")
    return redirect("exercises:list")


def shown(request: AuthenticatedRequest, pk: str) -> Exercise:
    """Return an exercise one may see, with what its page shows of it; 404 otherwise."""
    visible = Exercise.objects.visible_to(request.user).select_related("reference", "classroom")
    return get_object_or_404(visible.annotate(by=F("created_by__name")), pk=pk)


def editable(request: AuthenticatedRequest, pk: str) -> Exercise:
    """Return an exercise one may change; 404 when one may not see it, 403 when one may only see it."""
    visible = Exercise.objects.visible_to(request.user).select_related("classroom", "reference", "created_by")
    exercise = get_object_or_404(visible, pk=pk)
    if not Exercise.objects.editable_by(request.user).filter(pk=exercise.pk).exists():
        raise PermissionDenied("Only the instructors of the class change an exercise.")
    return exercise
