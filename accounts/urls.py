"""Classes and profile; allauth's own pages are included by the site."""

from django.urls import path

from accounts.views import classrooms, profile

app_name = "accounts"

urlpatterns = [
    path("accounts/profile/", profile.profile, name="profile"),
    path("accounts/api/me/", profile.me, name="me"),
    path("classes/", classrooms.classes, name="classes"),
    path("classes/<uuid:pk>/", classrooms.classroom, name="classroom"),
    path("classes/<uuid:pk>/members/", classrooms.member_add, name="member_add"),
    path("members/<uuid:pk>/role/", classrooms.member_role, name="member_role"),
    path("members/<uuid:pk>/removal/", classrooms.member_remove, name="member_remove"),
]
