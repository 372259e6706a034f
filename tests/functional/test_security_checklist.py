"""The boxes of the security checklist that no other test holds: production's transport and cookies, CORS, passwords."""

import json
import subprocess
import sys

import pytest

from tests.functional.test_server import ROOT, environment

OTHER = "https://other.example.org"
LOOK = """
import json
import django
django.setup()
from django.conf import settings
from django.test import Client
plain, secure = Client().get("/exercises/"), Client().get("/core/api/uploads/", secure=True)
print(json.dumps({
    "plain": [plain.status_code, plain["Location"]],
    "hsts": secure["Strict-Transport-Security"],
    "cookies": [settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY],
}))
"""


def test_production_redirects_to_https_says_so_for_a_year_and_keeps_its_cookies_to_it(tmp_path):
    variables = environment(
        DJANGO_SETTINGS_MODULE="practika_project.settings",
        DJANGO_ENVIRONMENT="production",
        DJANGO_SECRET_KEY="x9Qk2Lw7Zr4Tb8Vn1Ym6Hc3Jd5Fg0Ps" * 2,
        DJANGO_ALLOWED_HOSTS="testserver",
        DJANGO_ALLOW_SQLITE="True",
        DJANGO_DB_NAME=str(tmp_path / "db.sqlite3"),
        DJANGO_TRUSTED_PROXY_COUNT="1",
        DJANGO_LOG_LEVEL="ERROR",
    )
    looked = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env=variables, check=True, capture_output=True, text=True, timeout=60
    )
    assert json.loads(looked.stdout.splitlines()[-1]) == {
        "plain": [301, "https://testserver/exercises/"],
        "hsts": "max-age=31536000; includeSubDomains; preload",
        "cookies": [True, True, True],
    }


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [("/core/api/uploads/", OTHER, OTHER), ("/core/api/uploads/", "https://evil.example", None), ("/", OTHER, None)],
)
def test_other_sites_read_the_api_when_named_and_never_with_credentials(path, origin, allowed, ben, as_user, settings):
    settings.CORS_ALLOWED_ORIGINS = [OTHER]
    answer = as_user(ben).get(path, headers={"origin": origin})
    assert answer.get("Access-Control-Allow-Origin") == allowed
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("weak", ["short1", "12345678901", "password123", "ben@example.org"])
def test_a_weak_password_is_not_taken(weak, ben, as_user):
    fields = {"oldpassword": "pass-Ben", "password1": weak, "password2": weak}
    as_user(ben).post("/accounts/password/change/", fields)
    ben.refresh_from_db()
    assert ben.check_password("pass-Ben")
