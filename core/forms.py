"""The fields every form with a video shares."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps

if TYPE_CHECKING:
    from accounts.models import User

NO_VIDEO = "Choose a video first."


class VideoField(forms.FileField):
    """A video file; what is in it is decided by decoding it, in the service, not here."""

    widget = forms.FileInput(attrs={"accept": "video/*"})

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", "Video")
        super().__init__(**options)
        self.error_messages |= {
            "required": NO_VIDEO,
            "missing": NO_VIDEO,
            "invalid": NO_VIDEO,
            "empty": "This file is empty. Choose a video.",
        }


class PlainTextField(forms.CharField):
    """Text of several lines; line endings are unified, so that its length is what its author sees."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        """Return the text with LF line endings, without white space around it."""
        return (super().to_python(value) or "").replace("\r\n", "\n")


class UploadVideoForm(forms.Form):
    """The runbook's one-shot upload: a video, a name, a description, and the class when one is in several."""

    video = VideoField()
    name = forms.CharField(max_length=140)
    description = PlainTextField(max_length=5000, required=False)
    classroom = forms.UUIDField(required=False)

    def __init__(self, *args: Any, user: "User", **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user

    def clean(self) -> dict[str, Any]:
        """Find the class among the user's own: the one named, else the only one there is."""
        cleaned = super().clean() or {}
        classrooms = apps.get_model("accounts", "Classroom").objects.filter(memberships__user=self.user)
        if "classroom" in self.errors:
            return cleaned
        if cleaned.get("classroom"):
            classrooms = classrooms.filter(pk=cleaned["classroom"])
        mine = list(classrooms[:2])
        if len(mine) != 1:
            self.add_error(
                "classroom",
                "Name one of your classes: send its id as `classroom`."
                if mine or not cleaned.get("classroom")
                else "There is no such class.",
            )
        cleaned["classroom"] = mine[0] if mine else None
        return cleaned
