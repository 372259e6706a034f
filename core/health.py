"""The liveness answer: the process is up and its threads take work. It asks nothing else.

# Note [Health before Django]
Load balancers probe often, and restart what does not answer. So health depends on nothing that can be down
(database, storage, cache) and is answered in the WSGI entry, before Django builds a request: no host check,
no redirect to TLS, no session, no log line. Everything constant in it is made ready once, at start.
"""

import json
import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

HEALTH_PATH = "/core/health/"
REFUSAL_HEADERS = [("Allow", "GET, HEAD"), ("Content-Type", "text/plain"), ("Content-Length", "0")]


class HealthAnswer:
    """Answers health requests for one version and environment; a WSGI application of its own."""

    def __init__(self, *, version: str, environment: str) -> None:
        about = json.dumps({"version": version, "environment": environment})
        self._middle = about[1:-1]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        """Answer as WSGI asks (PEP 3333)."""
        started = time.perf_counter()
        method = environ["REQUEST_METHOD"]
        status, headers, body = self.answer(method, started)
        start_response(status, headers)
        return [] if method == "HEAD" else [body]

    def answer(self, method: str, started: float) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status line, headers, and body of the answer (of the GET, for HEAD)."""
        if method not in ("GET", "HEAD"):
            return "405 Method Not Allowed", list(REFUSAL_HEADERS), b""
        body = self.body(started)
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        return "200 OK", headers, body

    def body(self, started: float) -> bytes:
        """Return the JSON of five keys; `started` is a reading of time.perf_counter()."""
        milliseconds = round((time.perf_counter() - started) * 1000, 3)
        return (
            f'{{"status": "healthy", "timestamp": {time.time()!r}, {self._middle},'
            f' "response_time_ms": {milliseconds!r}}}'
        ).encode()


def health_first(application: WSGIApplication, health: HealthAnswer) -> WSGIApplication:
    """Return a WSGI application that answers HEALTH_PATH by `health` and everything else as before."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == HEALTH_PATH:
            return health(environ, start_response)
        return application(environ, start_response)

    return answer
