"""Forms of the thread."""

from typing import Any

from django import forms

from comments.models import Comment
from core.forms import PlainTextField, VideoField
from core.models import VideoAsset


class CommentForm(forms.Form):
    """A comment: text, a video, or both; at a moment or about the whole; perhaps a reply."""

    text = PlainTextField(max_length=5000, required=False, label="Comment", widget=forms.Textarea(attrs={"rows": 3}))
    at_ms = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    video = VideoField(required=False, label="Video reply")
    parent = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, target: VideoAsset, **options: Any) -> None:
        super().__init__(*args, **options)
        self.target = target

    def clean_at_ms(self) -> int | None:
        """Keep the moment within the video."""
        at_ms = self.cleaned_data["at_ms"]
        if at_ms is not None and self.target.duration_ms is not None and at_ms > self.target.duration_ms:
            raise forms.ValidationError("This moment is after the end of the video.")
        return at_ms

    def clean_parent(self) -> Comment | None:
        """Find the comment answered: one of this video, and not itself a reply."""
        key = self.cleaned_data["parent"]
        if key is None:
            return None
        parent = self.target.comments.filter(pk=key, parent__isnull=True).first()
        if parent is None:
            raise forms.ValidationError("The comment you answer is gone. Write yours as a new one.")
        return parent

    def clean(self) -> dict[str, Any]:
        """Require something to say."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("text") and not cleaned.get("video"):
            self.add_error("text", "Write something or add a video.")
        return cleaned


class EditForm(forms.Form):
    """Other words for a comment; one that shows a video may have none."""

    text = PlainTextField(max_length=5000, label="Comment", widget=forms.Textarea(attrs={"rows": 5}))

    def __init__(self, *args: Any, comment: Comment, **options: Any) -> None:
        options.setdefault("initial", {"text": comment.text})
        super().__init__(*args, **options)
        self.fields["text"].required = comment.video_id is None
