"""Who is in a class, and as what. A class always keeps an instructor."""

from django.db import transaction

from accounts.models import Classroom, Membership, User
from core.services.audit import record_event


class LastInstructor(Exception):
    """The change would leave the class without an instructor."""

    sentence = "A class needs an instructor. Make somebody else one first."


class AlreadyMember(Exception):
    """The person is in the class already."""

    sentence = "This person is in the class already. Change the role in the list."


def add_member(*, classroom: Classroom, user: User, role: str, by: User) -> Membership:
    """Add a person to a class; AlreadyMember when they are in it."""
    with transaction.atomic():
        membership, made = Membership.objects.get_or_create(classroom=classroom, user=user, defaults={"role": role})
        if not made:
            raise AlreadyMember
        record_event(
            action="membership.added",
            actor=by,
            subject=membership,
            classroom=classroom,
            detail={"user": str(user.pk), "role": role},
        )
    return membership


def change_role(*, membership: Membership, role: str, by: User) -> None:
    """Give a member another role; LastInstructor when that leaves the class without one."""
    with transaction.atomic():
        if role != Membership.Role.INSTRUCTOR:
            _keep_an_instructor(membership)
        membership.role = role
        membership.save(update_fields=["role"])
        record_event(
            action="membership.role_changed",
            actor=by,
            subject=membership,
            classroom=membership.classroom,
            detail={"user": str(membership.user_id), "role": role},
        )


def remove_member(*, membership: Membership, by: User) -> None:
    """Take a person out of a class; their videos, attempts, and comments stay. LastInstructor as above."""
    with transaction.atomic():
        _keep_an_instructor(membership)
        record_event(
            action="membership.removed",
            actor=by,
            subject=membership,
            classroom=membership.classroom,
            detail={"user": str(membership.user_id), "role": membership.role},
        )
        membership.delete()


def _keep_an_instructor(leaving: Membership) -> None:
    """Raise LastInstructor unless another one stays; the class's row is locked, so two cannot leave at once."""
    Classroom.objects.select_for_update().get(pk=leaving.classroom_id)
    others = Membership.objects.instructors().filter(classroom=leaving.classroom_id).exclude(pk=leaving.pk)
    if leaving.role == Membership.Role.INSTRUCTOR and not others.exists():
        raise LastInstructor
