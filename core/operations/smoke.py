"""The checks after every start, over HTTP, as a stranger sees the site."""

import uuid
from collections.abc import Callable
from urllib.parse import urljoin

from core.operations.findings import Failed, Finding, find
from core.operations.web import Answer, fetch, read_address

HEALTH_KEYS = {"status", "timestamp", "version", "environment", "response_time_ms"}
BOUNDARY = "practika-smoke"
UPLOAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="video"; filename="smoke.mp4"\r\n'
    f"Content-Type: video/mp4\r\n\r\nsmoke\r\n--{BOUNDARY}--\r\n"
).encode()
CLOSED = "The site is closed (manage.py maintenance status), or cannot do this now: RUNBOOK.md, Ready answers 503."
MOVED = (301, 302, 307, 308)
TO_HTTPS = "This address sends people to https, as production does: give the https address that people use."

Ask = Callable[..., Answer]


def smoke(url: str, *, timeout_s: float = 10.0) -> list[Finding]:
    """Return a finding for each check of the site at `url` (scheme, host, port); raises web.BadAddress."""
    secure = read_address(url)[0]

    def ask(path: str, **request: object) -> Answer:
        answer = fetch(urljoin(url, path), timeout_s=timeout_s, **request)  # type: ignore[arg-type]
        if not secure and answer.status in MOVED and answer.headers.get("location", "").startswith("https://"):
            raise Failed(f"answered {answer.status} → {answer.headers['location']}", TO_HTTPS)
        return answer

    checks: dict[str, Callable[[], str]] = {
        "health": lambda: check_health(ask),
        "ready": lambda: check_ready(ask),
        "static file": lambda: check_static(ask),
        "anonymous upload": lambda: check_upload(ask),
        "log-in page": lambda: check_login(ask),
        "security headers": lambda: check_headers(ask, secure=secure),
        "media closed": lambda: check_media(ask),
        "request id": lambda: check_request_id(ask),
    }
    return [find(name, check) for name, check in checks.items()]


def check_health(ask: Ask) -> str:
    """Health answers 200 with its five keys, itself: a redirect is a failure."""
    answer = expect(ask("/core/health/"), 200, "Send health to the site itself, before any redirect to https.")
    found = answer.json()
    if found.keys() != HEALTH_KEYS or found["status"] != "healthy":
        raise Failed("not the five keys of health", "Something else answers at this address: look at the proxy.")
    return f"{found['environment']} {found['version']} in {answer.seconds * 1000:.0f} ms"


def check_ready(ask: Ask) -> str:
    """Ready answers 200; what it calls degraded is named."""
    answer = ask("/core/ready/")
    found = answer.json()
    components = found.get("components")
    failing = [
        name for name, component in (components if isinstance(components, dict) else {}).items()
        if not isinstance(component, dict) or component.get("status") != "ok"
    ]  # fmt: skip
    if answer.status != 200 or found.get("status") not in ("ready", "degraded"):
        raise Failed(
            f"answered {answer.status}: {', '.join(failing) or 'no component named'}",
            "RUNBOOK.md, Ready answers 503.",
        )
    return f"{found['status']}: {', '.join(failing)}" if failing else str(found["status"])


def check_static(ask: Ask) -> str:
    """A style sheet comes, and says that it is one."""
    answer = expect(ask("/static/css/base.css"), 200, "Run manage.py collectstatic, then restart.")
    if answer.mime_type != "text/css" or not answer.body:
        raise Failed(f"came as {answer.mime_type or 'nothing'} with {len(answer.body)} bytes", "Look at the proxy.")
    return f"{len(answer.body)} bytes of text/css"


def check_upload(ask: Ask) -> str:
    """An upload without an account is refused with 401 and a problem, not CSRF's 403."""
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = ask("/core/api/upload-video/", method="POST", headers=headers, body=UPLOAD)
    expect(answer, 401, "Uploads must ask for an account first; is this Practika, or is it in maintenance?")
    if answer.mime_type != "application/problem+json":
        raise Failed(f"401 came as {answer.mime_type or 'nothing'}", "The proxy replaces the site's answers.")
    return "refused with 401"


def check_login(ask: Ask) -> str:
    """The log-in page comes as a page."""
    answer = expect(ask("/accounts/login/"), 200, "Check DJANGO_ALLOWED_HOSTS and X-Forwarded-Proto of the proxy.")
    if answer.mime_type != "text/html" or b"csrfmiddlewaretoken" not in answer.body:
        raise Failed("it holds no form", "Something else answers at this address: look at the proxy.")
    return f"200 in {answer.seconds * 1000:.0f} ms"


def check_headers(ask: Ask, *, secure: bool) -> str:
    """The log-in page carries the headers that protect its reader; HSTS where the site is https."""
    headers = ask("/accounts/login/").headers
    policy = headers.get("content-security-policy", "")
    wanted = {
        "Content-Security-Policy": "default-src 'none'" in policy and "unsafe-" not in policy,
        "X-Content-Type-Options": headers.get("x-content-type-options") == "nosniff",
        "Referrer-Policy": headers.get("referrer-policy") in ("same-origin", "no-referrer", "strict-origin"),
        "X-Frame-Options": headers.get("x-frame-options") == "DENY",
        **({"Strict-Transport-Security": "max-age=" in headers.get("strict-transport-security", "")} if secure else {}),
    }
    missing = [name for name, right in wanted.items() if not right]
    if missing:
        raise Failed(f"missing or weak: {', '.join(missing)}", "The proxy must pass on the site's headers as they are.")
    return f"{len(wanted)} as they should be"


def check_media(ask: Ask) -> str:
    """Nobody may reach videos by their folder."""
    expect(ask("/media/"), 404, "The proxy serves the media folder: remove that location, videos are not public.")
    return "404"


def check_request_id(ask: Ask) -> str:
    """The id that a proxy gives a request comes back, so that a log line can be found by it."""
    given = uuid.uuid4().hex
    found = ask("/accounts/login/", headers={"X-Request-ID": given}).headers.get("x-request-id", "")
    if not found:
        raise Failed("no X-Request-ID came back", "The proxy must pass on X-Request-ID.")
    return "comes back" if found == given else f"replaced by {found[:64]}"


def expect(answer: Answer, status: int, hint: str) -> Answer:
    """Return the answer, or raise Failed when it has another status."""
    if answer.status == status:
        return answer
    if answer.status == 503:
        raise Failed(f"answered 503, not {status}", CLOSED)
    location = answer.headers.get("location")
    raise Failed(f"answered {answer.status}" + (f" → {location}" if location else f", not {status}"), hint)
