"""A gate before the S3 server that checks what the server itself does not: the signatures of presigned requests.

It computes Signature Version 4 anew from the request that came (docs.aws.amazon.com/AmazonS3/latest/API/
sigv4-query-string-auth.html), so a request signed for another length, method, key, part, or SHA-256, and one that
expired, is 403 as it would be in S3. It counts the bytes of bodies that passed, and answers CORS preflights.
"""

import hashlib
import hmac
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, quote, urlsplit

SECRET = "secret"
UNSIGNED = "UNSIGNED-PAYLOAD"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "PUT, GET, HEAD",
    "Access-Control-Allow-Headers": "x-amz-content-sha256, content-type, range",
    "Access-Control-Max-Age": "3000",
}


def refusal(method: str, target: str, headers: dict[str, str], body: bytes, now: datetime) -> str:
    """Return why S3 would refuse a presigned request, or nothing; header names are in small letters."""
    url = urlsplit(target)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    signature = query.pop("X-Amz-Signature", "")
    began = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if not began - timedelta(minutes=15) <= now <= began + timedelta(seconds=int(query["X-Amz-Expires"])):
        return "AccessDenied: expired"
    signed = query["X-Amz-SignedHeaders"].split(";")
    if unsigned := [name for name in headers if name.startswith("x-amz-") and name not in signed]:
        return f"AccessDenied: not signed: {unsigned}"
    payload = headers.get("x-amz-content-sha256", UNSIGNED)
    canonical = "\n".join(
        [
            method,
            url.path,
            "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items())),
            *[f"{name}:{headers.get(name, '').strip()}" for name in signed],
            "",
            ";".join(signed),
            payload,
        ]
    )
    scope = query["X-Amz-Credential"].partition("/")[2]
    key = f"AWS4{SECRET}".encode()
    for piece in scope.split("/"):
        key = hmac.digest(key, piece.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature):
        return "SignatureDoesNotMatch"
    if payload != UNSIGNED and hashlib.sha256(body).hexdigest() != payload:
        return "XAmzContentSHA256Mismatch"
    return ""


class Gate(ThreadingHTTPServer):
    """Passes requests on to the S3 server at `behind`; `received_bytes` counts the bodies of presigned ones."""

    daemon_threads = True

    def __init__(self, behind: str):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = urlsplit(behind).netloc
        self.received_bytes = 0
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request, read whole."""

    server: Gate
    protocol_version = "HTTP/1.1"

    def do_OPTIONS(self) -> None:
        self._answer(200, {}, b"")

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if "X-Amz-Signature=" in self.path:
            if reason := refusal(self.command, self.path, headers, body, datetime.now(UTC)):
                self._answer(403, {}, f"<Error><Code>{reason}</Code></Error>".encode())
                return
            self.server.received_bytes += len(body)
        behind = http.client.HTTPConnection(self.server.behind, timeout=30)
        passed = {name: value for name, value in headers.items() if name not in ("connection", "transfer-encoding")}
        behind.request(self.command, self.path, body, {"content-type": "application/octet-stream", **passed})
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        self._answer(answer.status, kept, content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        length = headers.get("Content-Length", len(content)) if self.command == "HEAD" else len(content)
        for name, value in {**headers, **CORS, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


HOP_BY_HOP = {"connection", "transfer-encoding", "date", "server", *map(str.lower, CORS)}


@contextmanager
def gate_before(behind: str) -> Iterator[Gate]:
    """Run a gate before the S3 server at that address."""
    gate = Gate(behind)
    thread = Thread(target=gate.serve_forever, daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        gate.shutdown()
        gate.server_close()
