"""Addresses among the variables, read strictly: what is no address of its kind stops the start with a sentence.

# Note [An address is refused before it is used]
A database's address that cannot be read was a traceback; an S3 server without its scheme, a host name with one, or
`s3:bucket` for backups started a site that answered 400, played nothing, or kept its backups in a folder of that name.
A sentence shows what was found unless the variable is a secret, of which it shows the scheme at most.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import dj_database_url

from practika_project import env

SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30})://", re.IGNORECASE)
LIKE_A_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
POSTGRESQL, SQLITE = "django.db.backends.postgresql", "django.db.backends.sqlite3"
DATABASES = ("postgres", "postgresql", "sqlite")
CACHES = ("redis", "rediss")
DATABASE_FORM = (
    "Write postgres://account:password@host:5432/name; in account and password write %40 for @, %2F for /, %3F for ?, "
    "%23 for #"
)


def database_settings(url: str) -> dict[str, Any]:
    """Return the settings of the database at `url`; a problem is recorded, and a database without a name returned."""
    try:
        return _database(url)
    except ValueError as error:
        env.refuse(f"DATABASE_URL {error} {DATABASE_FORM}.")
        return {"ENGINE": POSTGRESQL, "NAME": ""}


def _database(url: str) -> dict[str, Any]:
    scheme = _scheme(url)
    if scheme not in DATABASES:
        raise ValueError(f"begins with {scheme!r}, which is not known." if scheme else "has no scheme.")
    try:
        read = dict(dj_database_url.parse(url))
    except ValueError:  # it may quote the address, which holds a password
        raise ValueError("cannot be read.") from None
    if not read["NAME"]:
        raise ValueError("names no database.")
    return read


def refuse_bad_addresses(chosen: Mapping[str, Any]) -> None:
    """Record a sentence for every address in the settings `chosen` that is none of its kind."""
    _refuse_hosts(chosen["ALLOWED_HOSTS"])
    redis = chosen["REDIS_URL"]
    if redis and _scheme(redis) != "unix" and not _has_host(redis, *CACHES):
        env.refuse(
            "REDIS_URL is no address of a Redis server. Write redis://:password@host:6379/0 (rediss:// with TLS); in "
            "the password write %40 for @, %2F for /, %3F for ?, %23 for #."
        )
    endpoint, domain = chosen["AWS_S3_ENDPOINT_URL"], chosen["AWS_S3_CUSTOM_DOMAIN"]
    if endpoint and not _has_host(endpoint, "http", "https"):
        env.refuse(f"AWS_S3_ENDPOINT_URL is {endpoint!r}, which is no address. Write https://s3.example.org.")
    if "/" in domain:
        env.refuse(f"AWS_S3_CUSTOM_DOMAIN is {domain!r}. Write the host name alone, e.g. videos.example.net.")
    if bool(chosen["AWS_ACCESS_KEY_ID"]) != bool(chosen["AWS_SECRET_ACCESS_KEY"]):
        env.refuse(
            "Of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is set. Set both, or neither for an instance role."
        )
    backups = chosen["BACKUP_ROOT"]
    if LIKE_A_SCHEME.match(backups) and not _has_host(backups, "s3"):
        env.refuse(f"DJANGO_BACKUP_ROOT is {backups!r}. Write a folder's path or s3://bucket/prefix.")
    prefix = chosen["X_ACCEL_PREFIX"]
    if prefix and not prefix.startswith("/"):
        env.refuse(f"PRACTIKA_X_ACCEL_PREFIX is {prefix!r}. Write the path of nginx's location: /protected-media.")


def _refuse_hosts(hosts: list[str]) -> None:
    for host in hosts:
        if "/" in host or (":" in host and not host.endswith("]")):
            env.refuse(
                f"DJANGO_ALLOWED_HOSTS has {host!r}, which no request matches. Write the host name alone, without "
                "scheme and port, e.g. practika.example.org."
            )


def _has_host(address: str, *schemes: str) -> bool:
    read = _read(address)
    return _scheme(address) in schemes and read is not None and bool(read.hostname) and not read.fragment


def _read(address: str) -> SplitResult | None:
    """Return an address in its parts, None when it has none, or a port that is no number."""
    try:
        read = urlsplit(address)
        _ = read.port
    except ValueError:
        return None
    return read


def _scheme(address: str) -> str:
    found = SCHEME.match(address)
    return found[1].lower() if found else ""
