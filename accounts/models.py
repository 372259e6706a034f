"""User, Classroom, and Membership: who takes part in what, and as what."""

import uuid
import zoneinfo
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def validate_time_zone(name: str) -> None:
    """Raise ValidationError unless `name` is a time zone of the IANA database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("Choose a time zone from the list, such as Europe/Paris.")


class UserManager(BaseUserManager["User"]):
    """Makes accounts on behalf of staff, which is why their address counts as verified."""

    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new account with a verified address; without a password nobody can log in to it yet."""
        from allauth.account.models import EmailAddress

        if not email:
            raise ValueError("An account needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new account that may do everything in the admin site."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, email: str | None) -> "User":
        """Return the account of an address, whatever its case."""
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who can log in with an e-mail address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("e-mail address", max_length=254, unique=True)
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=40, default="UTC", validators=[validate_time_zone])
    language = models.CharField(max_length=8, default="en", choices=[("en", "English")])
    is_active = models.BooleanField("may log in", default=True)
    is_staff = models.BooleanField("staff", default=False, help_text="May use the admin site.")
    date_joined = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    wants_digest = models.BooleanField(
        "tell me by e-mail what is new",
        default=True,
        db_default=True,
        help_text="At most once a day, and only what you have not been here to see.",
    )
    digest_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once_in_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """Return the name people see."""
        return str(self)

    def get_short_name(self) -> str:
        """Return the name people see."""
        return str(self)


class ClassroomQuerySet(models.QuerySet["Classroom"]):
    """Classes by who takes part."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Return the classes `user` belongs to; staff see all."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_staff else self.filter(memberships__user=user)

    def taught_by(self, user: "User | AnonymousUser") -> Self:
        """Return the classes in which `user` is an instructor."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(memberships__user=user, memberships__role=Membership.Role.INSTRUCTOR)

    def managed_by(self, user: "User | AnonymousUser") -> Self:
        """Return the classes in which `user` makes exercises and says who takes part; staff manage all."""
        return self if user.is_authenticated and user.is_staff else self.taught_by(user)


class Classroom(models.Model):
    """A class: a group with instructors and learners. "Due Friday" means Friday in its time zone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=40, default="UTC", validators=[validate_time_zone])
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = ClassroomQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships by class and role."""

    def instructors(self) -> Self:
        """Return the memberships of instructors."""
        return self.filter(role=Membership.Role.INSTRUCTOR)


class Membership(models.Model):
    """A person in a class, with a role that staff or the class's instructors give."""

    class Role(models.TextChoices):
        """What one does in the class."""

        INSTRUCTOR = "instructor", "Instructor"
        LEARNER = "learner", "Learner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    classroom = models.ForeignKey(Classroom, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "classroom"], name="membership_once_per_class"),
            models.CheckConstraint(name="membership_role_known", condition=Q(role__in=["instructor", "learner"])),
        ]
        indexes = [models.Index(fields=["classroom", "role"], name="membership_class_role")]

    def __str__(self) -> str:
        return f"{self.user} in {self.classroom} ({self.role})"
