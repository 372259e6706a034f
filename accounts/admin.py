"""The admin site for people and classes."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.models import Classroom, Membership, User
from accounts.services.people import set_password_link, verify_address


class NewUserForm(AdminUserCreationForm):
    """A new account; without a password, its set-password link is how its owner gets in."""

    class Meta:
        model = User
        fields = ["email", "name"]
        field_classes = {"email": forms.EmailField}


class SearchedKey(AutocompleteSelect):
    """Django's field that searches, which asks the database for whatever was sent, and fails where that is no key."""

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> Any:
        """Return the choices to show; what is no key is shown as nothing chosen, beside the form's own sentence."""
        return super().optgroups(name, [one for one in value if _is_key(one)], attrs)


def _is_key(sent: str) -> bool:
    try:
        UUID(sent)
    except ValueError:
        return False
    return True


class MembershipOptions(admin.options.BaseModelAdmin):
    """How a membership's person and class are chosen."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Return the field, searched rather than listed: there may be thousands."""
        options["widget"] = SearchedKey(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options)


class MembershipInline(MembershipOptions, admin.TabularInline):
    """The classes of a person, or the people of a class."""

    model = Membership
    extra = 0


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Accounts. Those made here count as verified."""

    add_form = NewUserForm
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        ("Preferences", {"fields": ["time_zone", "language", "wants_digest"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["date_joined", "last_seen_at", "last_login"]}),
    ]
    readonly_fields = ["date_joined", "last_seen_at", "last_login"]
    list_display = ["email", "name", "is_active", "is_staff", "last_seen_at"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    inlines = [MembershipInline]
    actions = ["make_password_links"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the account; its address counts as verified, for staff vouch for it."""
        super().save_model(request, obj, form, change)
        verify_address(user=obj)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """Show memberships once the account exists."""
        return self.inlines if obj else []

    @admin.action(description="Make a set-password link to copy")
    def make_password_links(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Show a link for each chosen person; whoever has it sets the password."""
        for user in users:
            link = set_password_link(user=user, asked_by=cast(User, request.user))
            messages.info(request, format_html('Copy this for {}: <a href="{}">{}</a>', user.email, link, link))


@admin.register(Classroom)
class ClassroomAdmin(admin.ModelAdmin):
    """Classes with their people."""

    list_display = ["name", "time_zone", "created_at", "archived_at"]
    search_fields = ["name"]
    ordering = ["name", "pk"]
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(MembershipOptions, admin.ModelAdmin):
    """Who is in which class, as what."""

    list_display = ["user", "classroom", "role"]
    list_filter = ["role"]
    search_fields = ["user__email", "user__name", "classroom__name"]
    ordering = ["classroom__name", "user__email", "pk"]
    list_select_related = ["user", "classroom"]
