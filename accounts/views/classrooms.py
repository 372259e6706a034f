"""Classes: the list, one class with its people, and the changes its instructors make."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import MemberForm, RoleForm
from accounts.models import Classroom, Membership
from accounts.services.classrooms import AlreadyMember, LastInstructor, add_member, change_role, remove_member
from core.http import AuthenticatedRequest, form_page


@require_safe
def classes(request: AuthenticatedRequest) -> HttpResponse:
    """List one's classes."""
    mine = Membership.objects.filter(classroom=OuterRef("pk"), user=request.user)
    classrooms = (
        Classroom.objects.filter(pk__in=Classroom.objects.visible_to(request.user).values("pk"))
        .annotate(my_role=Subquery(mine.values("role")[:1]), member_count=Count("memberships"))
        .order_by("name", "pk")
    )
    return render(request, "accounts/classes.html", {"classrooms": classrooms})


@require_safe
def classroom(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Show a class: its people, and for its instructors the form to add one."""
    found = get_object_or_404(Classroom.objects.visible_to(request.user), pk=pk)
    return form_page(request, "accounts/classroom.html", MemberForm(classroom=found), _context(request, found))


@require_POST
def member_add(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Add a person to a class."""
    found = _managed(request, pk)
    form = MemberForm(request.POST, classroom=found)
    if form.is_valid() and form.user:
        try:
            add_member(classroom=found, user=form.user, role=form.cleaned_data["role"], by=request.user)
        except AlreadyMember as error:
            form.add_error("email", error.sentence)
        else:
            messages.success(request, f"{form.user} is in the class now.")
            return redirect("accounts:classroom", pk=found.pk)
    return form_page(request, "accounts/classroom.html", form, _context(request, found))


@require_POST
def member_role(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Give a member another role."""
    membership = _managed_membership(request, pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            change_role(membership=membership, role=form.cleaned_data["role"], by=request.user)
            messages.success(request, f"{membership.user} is now {membership.get_role_display().lower()}.")
        except LastInstructor as error:
            messages.error(request, error.sentence)
    else:
        messages.error(request, "Choose instructor or learner.")
    return redirect("accounts:classroom", pk=membership.classroom_id)


@require_http_methods(["GET", "HEAD", "POST"])
def member_remove(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Ask, then take a person out of a class."""
    membership = _managed_membership(request, pk)
    if request.method != "POST":
        return render(request, "accounts/confirm_remove.html", {"membership": membership})
    try:
        remove_member(membership=membership, by=request.user)
        messages.success(request, f"{membership.user} is no longer in the class. What they made stays.")
    except LastInstructor as error:
        messages.error(request, error.sentence)
    return redirect(reverse("accounts:classroom", args=[membership.classroom_id]))


def _managed(request: AuthenticatedRequest, pk: Any) -> Classroom:
    """Return a class one may manage; 404 when one is not in it, 403 when one only takes part."""
    found = get_object_or_404(Classroom.objects.visible_to(request.user), pk=pk)
    if not _may_manage(request, found):
        raise PermissionDenied("Only the instructors of a class say who is in it.")
    return found


def _managed_membership(request: AuthenticatedRequest, pk: str) -> Membership:
    visible = Classroom.objects.visible_to(request.user)
    membership = get_object_or_404(
        Membership.objects.select_related("user", "classroom").filter(classroom__in=visible), pk=pk
    )
    _managed(request, membership.classroom_id)
    return membership


def _may_manage(request: AuthenticatedRequest, found: Classroom) -> bool:
    return Classroom.objects.managed_by(request.user).filter(pk=found.pk).exists()


def _context(request: AuthenticatedRequest, found: Classroom) -> dict[str, Any]:
    return {
        "classroom": found,
        "may_manage": _may_manage(request, found),
        "memberships": found.memberships.select_related("user").order_by("role", "user__name", "pk"),
    }
