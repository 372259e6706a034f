"""DJANGO_EMAIL_URL, one line that says how mail leaves, read strictly into Django's EMAIL_ settings.

# Note [The scheme says whether mail is encrypted]
A scheme nobody knows must stop the start: mail that leaves in the clear because of a typing error looks like mail
that leaves well. Each scheme therefore means one way of encrypting and one port (RFC 6409 and RFC 8314: 587 begins in
the clear and upgrades by STARTTLS, 465 is TLS from the first byte), and nothing after the host can change it. A
sentence never shows more of the value than its scheme, because the rest holds a password.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from practika_project import env

NAME = "DJANGO_EMAIL_URL"
BACKENDS = "django.core.mail.backends"
SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30})://", re.IGNORECASE)
CHARACTERS = "In account and password write %40 for @, %2F for /, %3F for ?, %23 for #"


class Way(NamedTuple):
    """How a scheme reaches the mail server: its port unless told, STARTTLS, TLS from the first byte."""

    port: int
    starttls: bool = False
    tls: bool = False


SERVERS = {
    "smtp": Way(25),
    "smtp+tls": Way(587, starttls=True),
    "submission": Way(587, starttls=True),
    "submit": Way(587, starttls=True),
    "smtp+ssl": Way(465, tls=True),
    "smtps": Way(465, tls=True),
    "submissions": Way(465, tls=True),
}
ELSEWHERE = {"console": "console", "file": "filebased", "memory": "locmem", "dummy": "dummy"}


def email_settings(url: str) -> dict[str, Any]:
    """Return the EMAIL_ settings of `url`; a problem is recorded with `env.refuse`, and mail is printed instead."""
    try:
        return _read(url.strip())
    except ValueError as error:
        env.refuse(f"{NAME} {error}")
        return _read("console:")


def _read(url: str) -> dict[str, Any]:
    scheme = url.partition(":")[0].lower()
    if ":" in url and scheme in SERVERS:
        return _server(_split(url), SERVERS[scheme])
    if ":" in url and scheme in ELSEWHERE:
        chosen = {"EMAIL_BACKEND": f"{BACKENDS}.{ELSEWHERE[scheme]}.EmailBackend"}
        return chosen | ({"EMAIL_FILE_PATH": _folder(_split(url))} if scheme == "file" else {})
    shown = SCHEME.match(url)
    found = f"begins with {shown[1]!r}, which is not known" if shown else "has no scheme"
    raise ValueError(f"{found}. Begin it with one of these and a colon: {', '.join([*SERVERS, *ELSEWHERE])}.")


def _server(url: SplitResult, way: Way) -> dict[str, Any]:
    form = f"{url.scheme}://account:password@host:{way.port}"
    if not url.hostname or url.path.strip("/") or url.query or url.fragment:
        raise ValueError(
            f"is not of the form {form} and nothing more. {CHARACTERS}; whether mail is encrypted, the scheme says."
        )
    if bool(url.username) != bool(url.password):
        raise ValueError(f"has an account without a password, or the other way round. Write {form}.")
    return {
        "EMAIL_BACKEND": f"{BACKENDS}.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or way.port,
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_TLS": way.starttls,
        "EMAIL_USE_SSL": way.tls,
    }


def _folder(url: SplitResult) -> str:
    folder = unquote(url.path)
    if url.netloc or not folder.startswith("/"):
        raise ValueError("names no folder. Write file:///folder, with three slashes.")
    return folder


def _split(url: str) -> SplitResult:
    """Split the address; urllib's own words for a bad port would show what stands there, maybe a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(f"has no port where a port belongs. {CHARACTERS}; a port has digits only.") from None
    return parts
