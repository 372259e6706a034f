"""What production refuses at start, and that a good production environment passes every check."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_stack("development", why="asks neither database, cache, nor storage")

ROOT = Path(__file__).resolve().parents[2]
KEY = "k9Zr3vQmX7pLw2Ns8TyB4hJd6FgCeRuA1oViKbPqYtMxGzWnSfDlHj50"
GOOD = {
    "DJANGO_ENVIRONMENT": "production",
    "DJANGO_SECRET_KEY": KEY,
    "DJANGO_ALLOWED_HOSTS": "practika.example.org",
    "DATABASE_URL": "postgres://practika:pw@127.0.0.1:1/practika",
    "DJANGO_TRUSTED_PROXY_COUNT": "1",
}
S3 = {"USE_S3": "true", "AWS_STORAGE_BUCKET_NAME": "videos"}
ADDRESSES = S3 | {
    "DJANGO_ALLOWED_HOSTS": "practika.example.org,.school.example.org,127.0.0.1,[::1]",
    "DATABASE_URL": "postgres://practika:p%40w@%2Frun%2Fpostgresql/practika",
    "REDIS_URL": "rediss://:pw@cache.example.org:6379/0",
    "AWS_S3_ENDPOINT_URL": "http://127.0.0.1:9000",
    "DJANGO_BACKUP_ROOT": "s3://backups/nightly",
    "PRACTIKA_X_ACCEL_PREFIX": "/protected-media",
}


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with these variables and none of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "practika_project.settings", **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DJANGO_DEBUG": "True"}, "DJANGO_DEBUG"),
        ({"DJANGO_SECRET_KEY": ""}, "DJANGO_SECRET_KEY is not set"),
        ({"DJANGO_SECRET_KEY": "your-secret-key-here-" + KEY}, "DJANGO_SECRET_KEY is a placeholder"),
        ({"DJANGO_SECRET_KEY": KEY[:40]}, "DJANGO_SECRET_KEY is too short"),
        ({"DJANGO_SECRET_KEY": "ab" * 40}, "DJANGO_SECRET_KEY is too short or too regular"),
        ({"DJANGO_SECRET_KEY_FALLBACKS": "short"}, "DJANGO_SECRET_KEY_FALLBACKS is too short"),
        ({"DJANGO_ALLOWED_HOSTS": "*"}, "DJANGO_ALLOWED_HOSTS is '*'"),
        ({"DJANGO_ALLOWED_HOSTS": "practika.example.org,*"}, "DJANGO_ALLOWED_HOSTS is '*'"),
        ({"DJANGO_ALLOWED_HOSTS": ""}, "DJANGO_ALLOWED_HOSTS is not set"),
        ({"DATABASE_URL": ""}, "SQLite"),
        ({"DATABASE_URL": "sqlite:///x.sqlite3"}, "SQLite"),
        ({"USE_S3": "true"}, "AWS_STORAGE_BUCKET_NAME is not set"),
        ({**S3, "AWS_S3_CUSTOM_DOMAIN": "cdn.example.org"}, "AWS_S3_CUSTOM_DOMAIN needs a signer"),
        ({"USE_S3": "ture"}, "USE_S3"),
        ({"DJANGO_ENVIRONMENT": "prod"}, "DJANGO_ENVIRONMENT"),
        ({"DJANGO_BASE_URL": "practika.example.org"}, "DJANGO_BASE_URL"),
        ({"DATABASE_URL": f"mysql://ada:{KEY}@db.example.org/practika"}, "DATABASE_URL begins with 'mysql'"),
        ({"DATABASE_URL": f"postgres//ada:{KEY}@db.example.org/practika"}, "DATABASE_URL has no scheme"),
        ({"DATABASE_URL": f"postgres://ada:{KEY}#@db.example.org/practika"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_URL": f"postgres://ada:{KEY}@db.example.org/"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "", "DJANGO_DB_ENGINE": "postgresql"}, "DJANGO_DB_ENGINE is 'postgresql'"),
        ({"REDIS_URL": f"ada:{KEY}@cache.example.org:6379"}, "REDIS_URL is no address"),
        ({"REDIS_URL": f"redis://:{KEY}#@cache.example.org:6379/0"}, "REDIS_URL is no address"),
        ({"REDIS_URL": f"redis://:12/{KEY}@cache.example.org:6379/0"}, "REDIS_URL is no address"),
        ({"SENTRY_DSN": KEY}, "SENTRY_DSN is no address"),
        ({"DJANGO_ALLOWED_HOSTS": "https://practika.example.org"}, "DJANGO_ALLOWED_HOSTS has 'https://practika"),
        ({"DJANGO_ALLOWED_HOSTS": "practika.example.org:443"}, "DJANGO_ALLOWED_HOSTS has 'practika.example.org:443'"),
        ({**S3, "AWS_S3_ENDPOINT_URL": "s3.example.org:9000"}, "AWS_S3_ENDPOINT_URL is 's3.example.org:9000'"),
        ({**S3, "AWS_S3_ENDPOINT_URL": "https://[::1:9000"}, "AWS_S3_ENDPOINT_URL is 'https://[::1:9000'"),
        ({**S3, "AWS_S3_ENDPOINT_URL": "https://s3.example.org:90a"}, "AWS_S3_ENDPOINT_URL is 'https://s3"),
        ({**S3, "AWS_ACCESS_KEY_ID": KEY}, "Set both, or neither"),
        ({"AWS_S3_CUSTOM_DOMAIN": "https://cdn.example.org"}, "AWS_S3_CUSTOM_DOMAIN is 'https://cdn"),
        ({"DJANGO_BACKUP_ROOT": "s3:backups"}, "DJANGO_BACKUP_ROOT is 's3:backups'"),
        ({"DJANGO_BACKUP_ROOT": "gs://backups"}, "DJANGO_BACKUP_ROOT is 'gs://backups'"),
        ({"DJANGO_BACKUP_ROOT": "s3://[backups"}, "DJANGO_BACKUP_ROOT is 's3://[backups'"),
        ({"PRACTIKA_X_ACCEL_PREFIX": "protected-media"}, "PRACTIKA_X_ACCEL_PREFIX is 'protected-media'"),
        ({"DJANGO_EMAIL_URL": f"smtp+starttls://ada:{KEY}@mail.example.org"}, "DJANGO_EMAIL_URL begins with"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_the_start_is_refused_with_a_sentence_and_no_traceback(changed, said):
    ended = run("manage.py", "check", **{**GOOD, **changed})
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert KEY[:40] not in ended.stderr


def test_every_problem_is_said_in_one_go():
    ended = run("manage.py", "check", **{**GOOD, "DJANGO_DEBUG": "True", "DJANGO_ALLOWED_HOSTS": "*", "USE_S3": "ture"})
    assert all(name in ended.stderr for name in ("DJANGO_DEBUG", "DJANGO_ALLOWED_HOSTS", "USE_S3"))


@pytest.mark.parametrize(
    "changed",
    [{}, S3, {"DATABASE_URL": "", "DJANGO_ALLOW_SQLITE": "True"}, ADDRESSES],
    ids=["postgresql", "s3", "sqlite-by-name", "every-kind-of-address"],
)
def test_a_good_production_environment_has_no_warning(changed):
    ended = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **{**GOOD, **changed})
    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout


@pytest.mark.parametrize(
    ("scheme", "way"), [("smtp+tls", "587 True False"), ("smtps", "465 False True"), ("smtp", "25 False False")]
)
def test_the_mail_that_leaves_is_encrypted_as_the_scheme_says(scheme, way):
    script = "from django.conf import settings as s; print(s.EMAIL_PORT, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL)"
    assert run("-c", script, DJANGO_EMAIL_URL=f"{scheme}://mail.example.org").stdout.strip() == way


def test_local_mode_never_imports_the_s3_library():
    script = (
        "import sys, django; django.setup(); import practika_project.wsgi, practika_project.urls;"
        "from core.services.storage import VideoStorageService; VideoStorageService();"
        "print('boto3' in sys.modules, 'botocore' in sys.modules, 'storages' in sys.modules)"
    )
    assert run("-c", script).stdout.splitlines()[-1].split() == ["False"] * 3
