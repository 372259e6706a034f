"""The fields every form with a video shares."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.apps import apps

if TYPE_CHECKING:
    from accounts.models import User

UPLOADED = "uploaded"
NO_VIDEO = "Choose a video first."


class VideoInput(forms.FileInput):
    """A file chosen in the form, or the key of a video that was uploaded before the form was sent."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return the file, else the key in `uploaded`."""
        return files.get(name) or data.get(UPLOADED) or None


class VideoField(forms.FileField):
    """A video, as a received file or the key (UUID) of an uploaded one; the services decide whether it is one."""

    widget = VideoInput(attrs={"accept": "video/*"})

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", "Video")
        super().__init__(**options)
        self.error_messages |= {
            "required": NO_VIDEO,
            "missing": NO_VIDEO,
            "invalid": NO_VIDEO,
            "empty": "This file is empty. Choose a video.",
        }

    def to_python(self, data: Any) -> Any:
        """Return the received file, or the key of the uploaded video."""
        if not isinstance(data, str):
            return super().to_python(data)
        try:
            return UUID(data)
        except ValueError:
            raise forms.ValidationError(NO_VIDEO, code="invalid") from None


class PlainTextField(forms.CharField):
    """Text of several lines; line endings are unified, so that its length is what its author sees."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        """Return the text with LF line endings, without white space around it."""
        return (super().to_python(value) or "").replace("\r\n", "\n")


class UploadVideoForm(forms.Form):
    """The runbook's one-shot upload: a video, a name, a description, and the class when one is in several."""

    video = VideoField(widget=forms.FileInput)
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
