"""What production refuses, each in a sentence that says what to type.

# Note [Refused at start]
A site that starts with a placeholder key, an open host list, or a database that cannot be shared looks healthy
until it is too late. `DJANGO_ENVIRONMENT=production` therefore does not start at all with any of these; every
sentence is shown in one go (see Note [Every problem in one go] in `env`).
"""

from typing import Any

from practika_project import env

PLACEHOLDER_WORDS = ("your-", "change", "secret-key", "insecure", "example", "placeholder", "xxxx")
SHORTEST_KEY = 50


def refuse_unsafe_production(chosen: dict[str, Any]) -> None:
    """Record a sentence for everything in the settings `chosen` that must not run."""
    _refuse_half_chosen_storage(chosen)
    if not chosen["PRODUCTION"]:
        return
    if chosen["DEBUG"]:
        env.refuse("DJANGO_DEBUG is on in production, where it shows source and settings. Set DJANGO_DEBUG=False.")
    _refuse_key("DJANGO_SECRET_KEY", chosen["SECRET_KEY"])
    for key in chosen["SECRET_KEY_FALLBACKS"]:
        _refuse_key("DJANGO_SECRET_KEY_FALLBACKS", key)
    _refuse_hosts(chosen["ALLOWED_HOSTS"])
    _refuse_base_url(chosen["BASE_URL"])
    sqlite = chosen["DATABASE"]["ENGINE"].endswith("sqlite3")
    if sqlite and not chosen["ALLOW_SQLITE"]:
        env.refuse(
            "The database is SQLite, which one machine alone can use. Set DATABASE_URL=postgres://… (or DJANGO_DB_*), "
            "or DJANGO_ALLOW_SQLITE=True if one machine is what you want."
        )


def _refuse_half_chosen_storage(chosen: dict[str, Any]) -> None:
    if not chosen["USE_S3"]:
        return
    if not chosen["AWS_STORAGE_BUCKET_NAME"]:
        env.refuse("USE_S3 is on, but AWS_STORAGE_BUCKET_NAME is not set. Name the bucket, or set USE_S3=False.")
    signer = (chosen["AWS_CLOUDFRONT_KEY_ID"], chosen["AWS_CLOUDFRONT_KEY"])
    if chosen["AWS_S3_CUSTOM_DOMAIN"] and not all(signer):
        env.refuse(
            "AWS_S3_CUSTOM_DOMAIN needs a signer, or every video would be served unsigned. Set AWS_CLOUDFRONT_KEY_ID "
            "and AWS_CLOUDFRONT_KEY, or unset AWS_S3_CUSTOM_DOMAIN."
        )


def _refuse_key(name: str, key: str) -> None:
    if not key:
        env.refuse(f'{name} is not set. Make one with: python -c "import secrets; print(secrets.token_urlsafe(64))"')
    elif len(key) < SHORTEST_KEY or len(set(key)) < 10:
        env.refuse(f"{name} is too short or too regular. Use {SHORTEST_KEY} random characters or more.")
    elif any(word in key.lower() for word in PLACEHOLDER_WORDS):
        env.refuse(f"{name} is a placeholder from an example. Use a random key of your own.")


def _refuse_hosts(hosts: list[str]) -> None:
    if not hosts:
        env.refuse("DJANGO_ALLOWED_HOSTS is not set. Name the hosts people use, e.g. practika.example.org.")
    if "*" in hosts:
        env.refuse("DJANGO_ALLOWED_HOSTS is '*', which lets anyone forge links. Name the hosts people use.")


def _refuse_base_url(base_url: str) -> None:
    if not base_url.startswith(("https://", "http://")):
        env.refuse("DJANGO_BASE_URL must be the address people use, e.g. https://practika.example.org.")
