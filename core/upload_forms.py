"""What the calls of an upload take, as forms over JSON: types are exact, nothing is converted."""

import re
from typing import Any

from django import forms
from django.core.validators import RegexValidator

SHA256 = re.compile(r"[0-9a-f]{64}")
LARGEST_BYTES = 2**53  # what JavaScript counts exactly
ANY_TYPE = "application/octet-stream"
_MIME_TYPE = re.compile(r"video/[a-z0-9][a-z0-9.+-]{0,33}")


class ExactInteger(forms.Field):
    """An integer of JSON: not a text, not 1e3, not true."""

    def __init__(self, *, minimum: int = 1, maximum: int = LARGEST_BYTES, **options: Any):
        super().__init__(**options)
        self.minimum, self.maximum = minimum, maximum

    def to_python(self, value: Any) -> int | None:
        """Return the number, or None when it is absent."""
        if value is None:
            return None
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise forms.ValidationError(f"Give a whole number from {self.minimum} to {self.maximum}.")
        return value


class ExactText(forms.CharField):
    """A text of JSON."""

    def to_python(self, value: Any) -> str:
        """Return the text, without white space around it."""
        if value is not None and not isinstance(value, str):
            raise forms.ValidationError("Give a text.")
        return super().to_python(value) or ""


class HexSha256(ExactText):
    """64 hexadecimal digits in small letters, or nothing."""

    def __init__(self, **options: Any):
        super().__init__(required=False, max_length=64, **options)

    def validate(self, value: str) -> None:
        """Refuse what is no SHA-256."""
        super().validate(value)
        if value and not SHA256.fullmatch(value):
            raise forms.ValidationError("Give a SHA-256 as 64 hexadecimal digits in small letters.")


class OpenUploadForm(forms.Form):
    """POST /core/api/uploads/. `size_bytes` is null or absent while recording."""

    client_token = ExactText(
        validators=[RegexValidator(r"\A[A-Za-z0-9_-]{8,64}\Z", "Give 8 to 64 of A-Z a-z 0-9 _ -.")], strip=False
    )
    file_name = ExactText(max_length=4096, required=False)
    mime_type = ExactText(max_length=255, required=False)
    size_bytes = ExactInteger(required=False)
    classroom = forms.UUIDField()

    def clean_mime_type(self) -> str:
        """Return the type without its parameters; a recorder's says which codecs it used."""
        return self.cleaned_data["mime_type"].partition(";")[0].strip().lower()

    @property
    def has_a_type_of_no_video(self) -> bool:
        """Return whether a type was given that is neither a video's nor nobody's."""
        given = self.cleaned_data.get("mime_type", "")
        return bool(given) and given != ANY_TYPE and not _MIME_TYPE.fullmatch(given)


class SignPartForm(forms.Form):
    """POST …/parts/<number>/."""

    size_bytes = ExactInteger()
    sha256 = HexSha256()


class CompletionForm(forms.Form):
    """POST …/completion/."""

    size_bytes = ExactInteger()
    sha256 = HexSha256()
