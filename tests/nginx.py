"""The shipped nginx templates, filled in for this machine, for the real nginx."""

import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ASKED_FOR = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["nginx"]["environment"]
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
MAIN = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include conf.d/*.conf;
}
"""


@contextmanager
def listening() -> Iterator[dict[str, socket.socket]]:
    """Yield what nginx inherits by port: sockets that listen already, so that nobody waits for it to start."""
    with ExitStack() as stack:
        made = {
            port: stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128)) for port in ("80", "443")
        }
        for listener in made.values():
            listener.setblocking(False)
        yield made


def start_of_nginx(
    folder: Path, listeners: Mapping[str, socket.socket], host: str, values: Mapping[str, str]
) -> dict[str, Any]:
    """Write configuration and certificate into `folder`; return the arguments of Popen that start nginx there."""
    filled_in = dict.fromkeys(ASKED_FOR, host)
    filled_in |= {"PRACTIKA_TLS_FOLDER": str(folder), "PRACTIKA_ACCESS_LOG": str(folder / "access.log"), **values}
    (folder / "conf.d").mkdir()
    for template in (ROOT / "ops" / "nginx").glob("*.template"):
        text = re.sub(r"\$\{(\w+)\}", lambda found: filled_in[found[1]], template.read_text())
        text = re.sub(r"listen (80|443)", lambda found: "listen {}:{}".format(*listeners[found[1]].getsockname()), text)
        (folder / "conf.d" / template.stem).write_text(text)
    (folder / "nginx.conf").write_text(MAIN + ("user root;\n" if os.geteuid() == 0 else ""))
    write_certificate(folder, host)
    descriptors = [listener.fileno() for listener in listeners.values()]
    return {
        "args": [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")],
        "env": {"NGINX": "".join(f"{descriptor};" for descriptor in descriptors)},
        "pass_fds": descriptors,
    }


def write_certificate(folder: Path, host: str) -> None:
    """Write fullchain.pem and privkey.pem, valid for a day."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string(f"CN={host}")
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    signed = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "fullchain.pem").write_bytes(signed)
    kind = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(key.private_bytes(*kind))
