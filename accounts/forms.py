"""Forms about people and classes."""

import zoneinfo
from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms

from accounts.entrance import InOurWords
from accounts.models import Classroom, Membership, User


def time_zone_choices() -> list[tuple[str, str]]:
    """Return every time zone of the IANA database, by name."""
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]


class SignupForm(InOurWords, AllauthSignupForm):
    """Sign-up asks for the name that others see."""

    name = forms.CharField(max_length=80, label="Your name")
    field_order = ["name", "email", "password1", "password2"]

    def save(self, request: Any) -> User:
        """Return the new account with its name."""
        user = super().save(request)
        if user:  # None when the address already has an account, which is not told (enumeration)
            user.name = self.cleaned_data["name"]
            user.save(update_fields=["name"])
        return user


class ProfileForm(forms.ModelForm):
    """What a person says about themselves."""

    time_zone = forms.ChoiceField(choices=time_zone_choices)

    class Meta:
        model = User
        fields = ["name", "time_zone", "language", "wants_digest"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if len(User._meta.get_field("language").flatchoices) < 2:
            del self.fields["language"]  # nothing to choose


class MemberForm(forms.Form):
    """Whom to add to a class, and as what."""

    email = forms.EmailField(label="E-mail address")
    role = forms.ChoiceField(choices=Membership.Role.choices, initial=Membership.Role.LEARNER)

    def __init__(self, *args: Any, classroom: Classroom, **options: Any) -> None:
        super().__init__(*args, **options)
        self.classroom = classroom

    def clean_email(self) -> str:
        """Find the account; only people who have one can be added."""
        email = self.cleaned_data["email"]
        self.user = User.objects.filter(email__iexact=email, is_active=True, erased_at__isnull=True).first()
        if self.user is None:
            raise forms.ValidationError(
                f"Nobody here has the address {email}. Ask an administrator to make an account first."
            )
        return email


class RoleForm(forms.Form):
    """The role a member gets."""

    role = forms.ChoiceField(choices=Membership.Role.choices)
