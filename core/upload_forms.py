"""What the calls of an upload take, as forms over JSON: types are exact, nothing is converted."""

import re
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from core.storage.parts import MAX_PARTS

SHA256 = re.compile(r"[0-9a-f]{64}")
LARGEST_BYTES = 2**53  # what JavaScript counts exactly
MOST_SIGNED = 100  # parts in one call: what they say fits into the body that `core.json_api` reads
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


class NumberedPartForm(SignPartForm):
    """One of `SignPartsForm`."""

    number = ExactInteger(maximum=MAX_PARTS)


class PartList(forms.Field):
    """A list of JSON with 1 to MOST_SIGNED parts; cleaned, a list of dicts with the fields of NumberedPartForm."""

    def to_python(self, value: Any) -> list[dict[str, Any]]:
        """Return the fields of each part; the first that is wrong is named."""
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_SIGNED:
            raise forms.ValidationError(f"Give a list of 1 to {MOST_SIGNED} parts.")
        return [_part(at, fields) for at, fields in enumerate(value)]


def _part(at: int, fields: Any) -> dict[str, Any]:
    form = NumberedPartForm(fields if isinstance(fields, dict) else {})
    if not form.is_valid():
        name, messages = next(iter(form.errors.items()))
        raise forms.ValidationError(f"Part {at + 1} of the list, {name}: {messages[0]}")
    return form.cleaned_data


class SignPartsForm(forms.Form):
    """POST …/parts/."""

    parts = PartList()


class CompletionForm(forms.Form):
    """POST …/completion/."""

    size_bytes = ExactInteger()
    sha256 = HexSha256()
