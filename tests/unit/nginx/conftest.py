"""The shipped nginx templates, filled in, in front of a stand-in for the site, under the real nginx."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ETAG = '"sha-of-the-video"'
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
MAIN = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr;
events {}
http {
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include conf.d/*.conf;
}
"""


def write_certificate(folder: Path, host: str) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string(f"CN={host}")
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    signed = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "fullchain.pem").write_bytes(signed)
    kind = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(key.private_bytes(*kind))


class Site(BaseHTTPRequestHandler):
    """Stands for the site: hands over a file, or answers with what it received."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        if self.path == "/core/videos/1/stream/":
            self.hand_over()
            return
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
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
            self.send_header("Content-Security-Policy", "sandbox; default-src 'none'")
            self.send_header("X-Request-ID", "named-by-the-site")
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
    """What nginx inherits: sockets that listen already, so that nobody waits for it to start."""
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
        plain.setblocking(False)
        secure.setblocking(False)
        yield {"80": plain, "443": secure}


@pytest.fixture
def nginx(listeners, site, tmp_path) -> dict[str, Any]:
    """How to start nginx with the shipped templates, filled in for this machine."""
    if not NGINX:
        pytest.skip("nginx is not installed")
    values = dict.fromkeys(SERVICES["nginx"]["environment"], "practika.example.org")
    values |= {"S3_HOST": "videos.example.org", "S3_UPSTREAM": f"127.0.0.1:{site}"}
    values |= {"PRACTIKA_UPSTREAM": f"127.0.0.1:{site}", "PRACTIKA_TLS_FOLDER": str(tmp_path)}
    values |= {"PRACTIKA_ACCESS_LOG": str(tmp_path / "access.log"), "PRACTIKA_MEDIA_FOLDER": str(tmp_path / "media")}
    (tmp_path / "conf.d").mkdir()
    for template in (ROOT / "ops" / "nginx").glob("*.template"):
        filled = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], template.read_text())
        filled = re.sub(
            r"listen (80|443)", lambda found: "listen {}:{}".format(*listeners[found[1]].getsockname()), filled
        )
        (tmp_path / "conf.d" / template.stem).write_text(filled)
    (tmp_path / "nginx.conf").write_text(MAIN + ("user root;\n" if os.geteuid() == 0 else ""))
    (tmp_path / "media" / "videos").mkdir(parents=True)
    (tmp_path / "media" / "videos" / "1").write_bytes(b"0123456789")
    write_certificate(tmp_path, "practika.example.org")
    descriptors = [listener.fileno() for listener in listeners.values()]
    return {
        "args": [NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        "env": {"NGINX": "".join(f"{descriptor};" for descriptor in descriptors)},
        "pass_fds": descriptors,
    }


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
