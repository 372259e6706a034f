"""One's own profile, and who one is for programs."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import ProfileForm
from accounts.places import places
from core.http import AuthenticatedRequest, form_page, json_answer, unauthorized


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: AuthenticatedRequest) -> HttpResponse:
    """Show and change one's name, time zone, language, and whether mail tells what is new."""
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("accounts:profile")
    return form_page(request, "accounts/profile.html", form, {})


@require_safe
@login_not_required
def me(request: AuthenticatedRequest) -> HttpResponse:
    """Say who is logged in, with their classes and roles; 401 for nobody."""
    user = request.user
    if not user.is_authenticated:
        return unauthorized()
    return json_answer(
        {
            "id": str(user.pk),
            "email": user.email,
            "name": user.name,
            "time_zone": user.time_zone,
            "language": user.language,
            "is_staff": user.is_staff,
            "classes": [
                {"id": str(one.classroom_id), "name": one.name, "role": one.role} for one in places(request).values()
            ],
        }
    )
