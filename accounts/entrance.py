"""allauth's forms in the words of this site, each named in ACCOUNT_FORMS."""

from typing import Any

from allauth.account import forms

#: What allauth calls a field, and what it is called here; an unknown one keeps its name.
LABELS = {
    "Email": "E-mail address",
    "Current Password": "Current password",
    "New Password": "New password",
    "New Password (again)": "New password, again",
    "Password (again)": "Password, again",
}


class InOurWords:
    """Names the fields as the rest of the site does, and drops the placeholders, which only say the label again."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.label = LABELS.get(str(field.label), field.label)
            field.widget.attrs.pop("placeholder", None)


class LoginForm(InOurWords, forms.LoginForm):
    """Logs in."""


class AddEmailForm(InOurWords, forms.AddEmailForm):
    """Changes one's address."""


class ChangePasswordForm(InOurWords, forms.ChangePasswordForm):
    """Changes one's password."""


class ResetPasswordForm(InOurWords, forms.ResetPasswordForm):
    """Asks for the link of a forgotten password."""


class ResetPasswordKeyForm(InOurWords, forms.ResetPasswordKeyForm):
    """Sets a new password behind that link."""
