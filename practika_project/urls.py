"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from exercises.views.home import home

admin.site.site_header = "Practika"
admin.site.site_title = "Practika"
admin.site.index_title = "Administration"
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", home, name="home"),
    path("core/", include("core.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("", include("accounts.urls")),
    path("", include("exercises.urls")),
    path("", include("comments.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "practika_project.errors.bad_request"
handler403 = "practika_project.errors.forbidden"
handler404 = "practika_project.errors.not_found"
handler500 = "practika_project.errors.server_error"
