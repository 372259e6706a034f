"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path

from exercises.views.home import home

admin.site.site_header = "Practika"
admin.site.site_title = "Practika"
admin.site.index_title = "Administration"
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Lead to the icon."""
    return HttpResponseRedirect(static("favicon.svg"))


urlpatterns = [
    path("", home, name="home"),
    path("core/", include("core.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("", include("accounts.urls")),
    path("", include("exercises.urls")),
    path("", include("comments.urls")),
    path("admin/", admin.site.urls),
    # Pages of ours name their icon; the admin site's and plain files do not, and browsers ask here.
    path("favicon.ico", login_not_required(favicon), name="favicon"),
]

handler400 = "practika_project.errors.bad_request"
handler403 = "practika_project.errors.forbidden"
handler404 = "practika_project.errors.not_found"
handler429 = "practika_project.errors.too_many_requests"  # allauth looks for it
handler500 = "practika_project.errors.server_error"
