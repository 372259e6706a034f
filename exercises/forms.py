"""Forms about exercises and attempts; what is in a video is decided by the service that stores it."""

import zoneinfo
from typing import Any, cast

from django import forms
from django.utils import timezone

from accounts.models import Classroom, User
from core.forms import PlainTextField, VideoField
from exercises.models import Attempt, Exercise

FIRST_YEAR, LAST_YEAR = 2000, 2200


class ExerciseForm(forms.Form):
    """What an exercise says, and on creation its class and video. Due times mean the class's time zone."""

    classroom = forms.ModelChoiceField(Classroom.objects.none(), label="Class", empty_label=None)
    video = VideoField(label="Reference video")
    name = forms.CharField(max_length=140, label="Name")
    description = PlainTextField(
        max_length=5000, required=False, label="What to practise", widget=forms.Textarea(attrs={"rows": 5})
    )
    review_mode = forms.ChoiceField(choices=Exercise.ReviewMode.choices, label="Who sees submitted attempts")
    due_at = forms.DateTimeField(
        required=False,
        label="Due",
        help_text="In the class's time zone. Leave empty for no date.",  # the zone is named once its class is known
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, user: User, exercise: Exercise | None = None, **options: Any) -> None:
        options.setdefault("initial", _initial(exercise))
        super().__init__(*args, **options)
        self.exercise = exercise
        if exercise:
            del self.fields["classroom"], self.fields["video"]
            self._name_time_zone(exercise.classroom)
            return
        classrooms = Classroom.objects.managed_by(user).filter(archived_at__isnull=True).order_by("name", "pk")
        field = cast(forms.ModelChoiceField, self.fields["classroom"])
        field.queryset = classrooms
        if len(classrooms) == 1:
            field.initial, field.widget = classrooms[0].pk, forms.HiddenInput()
            self._name_time_zone(classrooms[0])

    def clean(self) -> dict[str, Any]:
        """Read the due time, which came without a zone, in the class's zone."""
        cleaned = super().clean() or {}
        classroom = self.exercise.classroom if self.exercise else cleaned.get("classroom")
        due_at = cleaned.get("due_at")
        if due_at and classroom:
            naive = timezone.make_naive(due_at) if timezone.is_aware(due_at) else due_at
            cleaned["due_at"] = naive.replace(tzinfo=zoneinfo.ZoneInfo(classroom.time_zone))
            if not FIRST_YEAR <= naive.year <= LAST_YEAR:
                self.add_error("due_at", f"Choose a date between {FIRST_YEAR} and {LAST_YEAR}.")
        return cleaned

    def _name_time_zone(self, classroom: Classroom) -> None:
        zone = classroom.time_zone.replace("_", " ")
        self.fields["due_at"].help_text = f"In the class's time zone, {zone}. Leave empty for no date."


class VideoForm(forms.Form):
    """One video."""

    video = VideoField()


class ReviewForm(forms.Form):
    """The instructor's answer to an attempt."""

    verdict = forms.ChoiceField(
        choices=[(state.value, state.label) for state in (Attempt.State.REDO, Attempt.State.PASSED)],
        error_messages={"required": "Choose redo or passed.", "invalid_choice": "Choose redo or passed."},
    )


def _initial(exercise: Exercise | None) -> dict[str, Any]:
    if exercise is None:
        return {"review_mode": Exercise.ReviewMode.PRIVATE}
    zone = zoneinfo.ZoneInfo(exercise.classroom.time_zone)
    return {
        "name": exercise.name,
        "description": exercise.description,
        "review_mode": exercise.review_mode,
        "due_at": exercise.due_at and exercise.due_at.astimezone(zone).replace(tzinfo=None),
    }
