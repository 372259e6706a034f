"""All settings, from environment variables only.

# Note [One file, environment only]
There is no settings file for each environment. Every variable is read here, through the strict readers of `env`,
and RUNBOOK.md lists the same names (a test compares the two). What an environment may not do is said in one
place, `practika_project/production.py`, what is no address in `addresses.py`; all raise their sentences together at the
end of this file.
"""

from pathlib import Path
from typing import Any

from core.logs import logging_config
from core.second_cache import ALIAS, redis_cache
from core.storage.options import S3_STORAGE, s3_options, s3_origins
from practika_project import __version__, env
from practika_project.addresses import POSTGRESQL, SQLITE, database_settings, refuse_bad_addresses
from practika_project.development_key import development_key
from practika_project.error_tracking import start_error_tracking
from practika_project.mail import email_settings
from practika_project.production import refuse_unsafe_production

VERSION = __version__
BASE_DIR = Path(__file__).resolve().parent.parent

ENVIRONMENT = env.choice("DJANGO_ENVIRONMENT", "development", ("development", "production"))
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.flag("DJANGO_DEBUG", False)
SECRET_KEY = env.secret("DJANGO_SECRET_KEY") or development_key(BASE_DIR / ".secret_key", wanted=not PRODUCTION)
SECRET_KEY_FALLBACKS = [key for key in env.secret("DJANGO_SECRET_KEY_FALLBACKS").split(",") if key]
ALLOWED_HOSTS = env.items("DJANGO_ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
BASE_URL = env.text("DJANGO_BASE_URL").rstrip("/") or (
    f"https://{ALLOWED_HOSTS[0].lstrip('.')}" if PRODUCTION and ALLOWED_HOSTS else "http://localhost:8000"
)
TRUSTED_PROXY_COUNT = env.number("DJANGO_TRUSTED_PROXY_COUNT", 0)

# ── Applications and the way of a request ─────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "practika_project",
    "comments",
    "exercises",
    "accounts",
    "core",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "corsheaders",
    "csp",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.middleware.PoliciesMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.ProbeAwareCommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.maintenance.MaintenanceMiddleware",
    "core.throttling.ThrottlingMiddleware",
    "accounts.middleware.EntranceMiddleware",
    "accounts.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "practika_project.errors.MethodPageMiddleware",
]

ROOT_URLCONF = "practika_project.urls"
WSGI_APPLICATION = "practika_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.reader",
            ],
        },
    }
]

# ── Database ──────────────────────────────────────────────────────────────────────────────────────────────────

DATABASE_URL = env.secret("DATABASE_URL")
DATABASE: dict[str, Any] = (
    database_settings(DATABASE_URL)
    if DATABASE_URL
    else {
        "ENGINE": env.choice("DJANGO_DB_ENGINE", SQLITE, (SQLITE, POSTGRESQL)),
        "NAME": env.text("DJANGO_DB_NAME", "db.sqlite3"),
        "USER": env.text("DJANGO_DB_USER"),
        "PASSWORD": env.secret("DJANGO_DB_PASSWORD"),
        "HOST": env.text("DJANGO_DB_HOST"),
        "PORT": env.text("DJANGO_DB_PORT"),
    }
)
if DATABASE["ENGINE"] == SQLITE:
    DATABASE["NAME"] = str(BASE_DIR / DATABASE["NAME"])
    # Each thread keeps its connection: opening one took a twentieth of a page.
    DATABASE["CONN_MAX_AGE"] = 600
    DATABASE["OPTIONS"] = {
        # IMMEDIATE takes the write lock at BEGIN, where waiting works; a read lock that must be upgraded fails at once.
        "transaction_mode": "IMMEDIATE",
        "timeout": 4,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # A persistent connection answers 3.5 times as many queries as a new one each request; the pool keeps them.
    from core.postgres import postgres_options

    DATABASE |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    DATABASE["OPTIONS"] = DATABASE.get("OPTIONS", {}) | postgres_options()
DATABASES = {"default": DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# allauth's limits live in the default cache: in the database, so that they never fail open when Redis is away.
# Django's 300 entries would let a flood of others push them out.
CACHES = {
    "default": {
        "BACKEND": "core.cache.CountedDatabaseCache",
        "LOCATION": "practika_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
REDIS_URL = env.secret("REDIS_URL")
if REDIS_URL:
    CACHES[ALIAS] = redis_cache(REDIS_URL)

# Tasks wait in the database, queued in the transaction that needs them; `manage.py worker` runs them.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# ── People ────────────────────────────────────────────────────────────────────────────────────────────────────

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ALLOW_SIGNUP = env.flag("DJANGO_ALLOW_SIGNUP", False)
# Ours count these (core/throttling.py).
ACCOUNT_RATE_LIMITS = dict.fromkeys(("login", "login_failed", "signup", "reset_password"))
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "login": "accounts.entrance.LoginForm",
    "add_email": "accounts.entrance.AddEmailForm",
    "change_password": "accounts.entrance.ChangePasswordForm",
    "reset_password": "accounts.entrance.ResetPasswordForm",
    "reset_password_from_key": "accounts.entrance.ResetPasswordKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Practika: "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if PRODUCTION else "http"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

vars().update(email_settings(env.secret("DJANGO_EMAIL_URL", "console:")))
DEFAULT_FROM_EMAIL = env.text("DJANGO_DEFAULT_FROM_EMAIL", "Practika <practika@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# ── Files: static ones, and videos on disk or in S3 ───────────────────────────────────────────────────────────

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / env.text("DJANGO_STATIC_ROOT", "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
# In development the files are served from where they are edited; production serves what collectstatic hashed.
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = not PRODUCTION

MEDIA_ROOT = BASE_DIR / env.text("DJANGO_MEDIA_ROOT", "media")
INCOMING_ROOT = MEDIA_ROOT / "incoming"  # beside the stored videos, so that storing one is a rename
BACKUP_ROOT = env.text("DJANGO_BACKUP_ROOT")  # a folder, or s3://bucket/prefix
BACKUP_EVERY_HOURS = env.number("DJANGO_BACKUP_EVERY_HOURS", 24)  # 0: somebody else makes them
METRICS_FOLDER = MEDIA_ROOT / ".metrics"  # the one folder that web processes and workers of a machine share
X_ACCEL_PREFIX = env.text("PRACTIKA_X_ACCEL_PREFIX")

USE_S3 = env.flag("USE_S3", False)
AWS_ACCESS_KEY_ID = env.secret("AWS_ACCESS_KEY_ID")
AWS_SECRET_ACCESS_KEY = env.secret("AWS_SECRET_ACCESS_KEY")
AWS_STORAGE_BUCKET_NAME = env.text("AWS_STORAGE_BUCKET_NAME")
AWS_S3_REGION_NAME = env.text("AWS_S3_REGION_NAME", "us-east-1")
AWS_S3_ENDPOINT_URL = env.text("AWS_S3_ENDPOINT_URL")
AWS_S3_ADDRESSING_STYLE = env.choice("AWS_S3_ADDRESSING_STYLE", "auto", ("auto", "path", "virtual"))
AWS_S3_SSE = env.choice("AWS_S3_SSE", "", ("AES256", "aws:kms"))
AWS_S3_CUSTOM_DOMAIN = env.text("AWS_S3_CUSTOM_DOMAIN")
AWS_CLOUDFRONT_KEY_ID = env.text("AWS_CLOUDFRONT_KEY_ID")
AWS_CLOUDFRONT_KEY = env.secret("AWS_CLOUDFRONT_KEY")
# The region's own address: it is signed, and so must be the one that the content security policy names.
S3_ENDPOINT_URL = AWS_S3_ENDPOINT_URL or f"https://s3.{AWS_S3_REGION_NAME}.amazonaws.com"
# What the vendor's library makes of "auto", said aloud.
if AWS_S3_ADDRESSING_STYLE == "auto":
    AWS_S3_ADDRESSING_STYLE = "path" if AWS_S3_ENDPOINT_URL else "virtual"
S3_ORIGINS = s3_origins(
    endpoint_url=S3_ENDPOINT_URL,
    bucket_name=AWS_STORAGE_BUCKET_NAME,
    addressing_style=AWS_S3_ADDRESSING_STYLE,
    custom_domain=AWS_S3_CUSTOM_DOMAIN,
)

STORAGES = {
    "default": {
        "BACKEND": S3_STORAGE,
        "OPTIONS": s3_options(
            access_key=AWS_ACCESS_KEY_ID,
            secret_key=AWS_SECRET_ACCESS_KEY,
            bucket_name=AWS_STORAGE_BUCKET_NAME,
            region_name=AWS_S3_REGION_NAME,
            endpoint_url=S3_ENDPOINT_URL,
            addressing_style=AWS_S3_ADDRESSING_STYLE,
            custom_domain=AWS_S3_CUSTOM_DOMAIN,
            cloudfront_key_id=AWS_CLOUDFRONT_KEY_ID,
            cloudfront_key=AWS_CLOUDFRONT_KEY,
            encryption=AWS_S3_SSE,
        ),
    }
    if USE_S3
    else {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": MEDIA_ROOT}},
    "staticfiles": {
        "BACKEND": "practika_project.static.HashedStaticStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# ── What may come in ──────────────────────────────────────────────────────────────────────────────────────────

MEBIBYTE, GIBIBYTE = 1024**2, 1024**3
FILE_UPLOAD_MAX_MEMORY_SIZE = env.number("DJANGO_FILE_UPLOAD_MAX_MEMORY_SIZE", 5 * MEBIBYTE // 2)
DATA_UPLOAD_MAX_MEMORY_SIZE = env.number("DJANGO_DATA_UPLOAD_MAX_MEMORY_SIZE", 5 * MEBIBYTE // 2)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 2
MAX_VIDEO_BYTES = env.number("PRACTIKA_MAX_VIDEO_BYTES", 4 * GIBIBYTE, minimum=1)
QUOTA_USER_BYTES = env.number("PRACTIKA_QUOTA_USER_BYTES", 50 * GIBIBYTE, minimum=1)
QUOTA_CLASS_BYTES = env.number("PRACTIKA_QUOTA_CLASS_BYTES", 500 * GIBIBYTE, minimum=1)
MAX_OPEN_UPLOADS = env.number("PRACTIKA_MAX_OPEN_UPLOADS", 20, minimum=1)

# How often, by one account and from one address (Note [One mechanism] in core/throttling.py). An address may be a
# whole school.
LIMITS = {
    "log_in": env.limits("PRACTIKA_LIMIT_LOG_IN", ["10/5m", "100/5m"]),
    "sign_up": env.limits("PRACTIKA_LIMIT_SIGN_UP", ["5/1h", "50/1h"]),
    "password_reset": env.limits("PRACTIKA_LIMIT_PASSWORD_RESET", ["5/1h", "50/1h"]),
    "uploads": env.limits("PRACTIKA_LIMIT_UPLOADS", ["300/1h", "3000/1h"]),
    "comments": env.limits("PRACTIKA_LIMIT_COMMENTS", ["60/5m", "1200/5m"]),
    "api": env.limits("PRACTIKA_LIMIT_API", ["1200/1m", "12000/1m"]),
    "api_reads": env.limits("PRACTIKA_LIMIT_API_READS", ["3000/1m", "30000/1m"]),  # of each process
}
#: View → limit, for what changes something; every other such call of the API counts as "api", its reads as "api_reads".
THROTTLED = {
    "account_login": "log_in",
    "account_signup": "sign_up",
    "account_reset_password": "password_reset",
    "core:uploads": "uploads",
    "core:upload_video": "uploads",
    "exercises:create": "uploads",
    "exercises:replace_video": "uploads",
    "exercises:attempt_create": "uploads",
    "comments:create": "comments",
}
#: Parts of an upload that was counted: there are many, and signing them writes no row, so it counts as a read.
SIGNING = {"core:upload_parts", "core:upload_part"}
#: Each came with a link that was signed, which alone is the permission.
UNTHROTTLED = {"core:upload_part_bytes"}

# ── Security ──────────────────────────────────────────────────────────────────────────────────────────────────

# How long a server that was told to stop serves on, while load balancers notice (core/draining.py).
DRAIN_SECONDS = env.number("PRACTIKA_DRAIN_SECONDS", 5 if PRODUCTION else 0)
PROBE_PATHS = ("/core/health/", "/core/ready/", "/core/metrics/")
SECURE_SSL_REDIRECT = env.flag("DJANGO_SECURE_SSL_REDIRECT", PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^core/", r"^static/"]
SECURE_HSTS_SECONDS = env.number("DJANGO_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "practika_project.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL.startswith(("https://", "http://")) else []
X_FRAME_OPTIONS = "DENY"

MEDIA_SOURCES = ["'self'", "blob:", *(S3_ORIGINS if USE_S3 else [])]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": MEDIA_SOURCES,
        "media-src": MEDIA_SOURCES,
        "connect-src": ["'self'", *(S3_ORIGINS if USE_S3 else [])],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

CORS_ALLOWED_ORIGINS = env.items("DJANGO_CORS_ALLOWED_ORIGINS", [])
CORS_URLS_REGEX = r"^/core/api/"
CORS_ALLOW_CREDENTIALS = False

# ── Logs and error tracking ───────────────────────────────────────────────────────────────────────────────────

LOG_LEVEL = env.choice("DJANGO_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = logging_config(level=LOG_LEVEL, json_lines=not DEBUG)
METRICS_TOKEN = env.secret("METRICS_TOKEN")
METRICS_NETWORKS = env.networks("METRICS_NETWORKS")
SENTRY_DSN = env.secret("SENTRY_DSN")
if SENTRY_DSN:
    try:
        start_error_tracking(dsn=SENTRY_DSN, environment=ENVIRONMENT, version=VERSION)
    except ValueError:
        env.refuse("SENTRY_DSN is no address of a project. Copy it from the project's client keys: https://key@host/1.")

# ── Stop here rather than run unsafely ────────────────────────────────────────────────────────────────────────

ALLOW_SQLITE = env.flag("DJANGO_ALLOW_SQLITE", False)
refuse_bad_addresses(vars())
refuse_unsafe_production(vars())
env.stop_if_refused()
