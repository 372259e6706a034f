"""The shipped nginx templates, filled in, in front of a stand-in for the site, under the real nginx."""

import http.client
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core.ranges import MEDIA_POLICY
from tests.nginx import NGINX, listening, start_of_nginx

ETAG = '"sha-of-the-video"'


class Site(BaseHTTPRequestHandler):
    """Stands for the site: hands over a file, or answers with what it received."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        if self.path == "/core/videos/1/stream/":
            self.hand_over()
            return
        if self.path == "/a-page/":
            self.send_page()
            return
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_page(self) -> None:
        body = b"<p>Arms on eight counts</p>" * 200
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Vary", "Cookie")
        self.end_headers()
        self.wfile.write(body)

    def hand_over(self) -> None:
        """Name the file, or answer that the browser has it already, as the site does."""
        known = self.headers["If-None-Match"] == ETAG
        self.send_response(304 if known else 200)
        self.send_header("ETag", ETAG)
        self.send_header("Cache-Control", "private, max-age=86400")
        if not known:
            self.send_header("Content-Length", "0")
            self.send_header("Content-Type", "video/mp4")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Security-Policy", MEDIA_POLICY)
            self.send_header("X-Request-ID", "named-by-the-site")
            self.send_header("Content-Disposition", 'attachment; filename="1.mp4"')
            self.send_header("X-Accel-Redirect", "/protected-media/videos/1")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def site() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def listeners() -> Iterator[dict[str, socket.socket]]:
    with listening() as made:
        yield made


@pytest.fixture
def nginx(listeners, site, tmp_path) -> dict[str, Any]:
    """How to start nginx with the shipped templates, filled in for this machine."""
    if not NGINX:
        pytest.skip("nginx is not installed")
    upstream = f"127.0.0.1:{site}"
    values = {"PRACTIKA_UPSTREAM_A": upstream, "PRACTIKA_UPSTREAM_B": upstream, "S3_UPSTREAM": upstream}
    values |= {"S3_HOST": "videos.example.org", "PRACTIKA_MEDIA_FOLDER": str(tmp_path / "media")}
    (tmp_path / "media" / "videos").mkdir(parents=True)
    (tmp_path / "media" / "videos" / "1").write_bytes(b"0123456789")
    return start_of_nginx(tmp_path, listeners, "practika.example.org", values)


@pytest.fixture
def ask(nginx, listeners, tmp_path) -> Iterator[Callable[..., Any]]:
    """Ask a running nginx: path → answer and body."""
    running = subprocess.Popen(**nginx)
    context = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))

    def ask(path: str, *, method: str = "GET", body: bytes | None = None, secure: bool = True, **headers: str):
        address = listeners["443" if secure else "80"].getsockname()
        connection = http.client.HTTPConnection(*address)
        connection.sock = socket.create_connection(address, timeout=10)
        if secure:
            connection.sock = context.wrap_socket(connection.sock, server_hostname="practika.example.org")
        named = {"Host": "practika.example.org"} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        answer = connection.getresponse()
        return answer, answer.read()

    yield ask
    running.terminate()
    running.wait(timeout=10)
