"""An S3 server that fails when a test says so: an error, or silence.

with failing_s3() as gate:
    gate.answer_next(503, "SlowDown", times=2)
    gate.is_silent.set()
"""

import contextlib
import threading
from collections import deque
from collections.abc import Iterator

import boto3

from tests.storage.gate import SECRET, Gate, Handler

BUCKET = "practika-faults"
SIGNED = "X-Amz-Signature="


class FailingGate(Gate):
    """A gate; `answered` lists method and status of each presigned request, in the order of the answers."""

    def __init__(self, behind: str):
        super().__init__(behind)
        self.RequestHandlerClass = FailingHandler
        self.answered: list[tuple[str, int]] = []
        self.signed_sha256: set[str] = set()  # of parts, as their senders gave them
        self.errors: deque[tuple[int, str]] = deque()
        self.refusal: tuple[int, str] | None = None  # of everything that the site itself asks
        self.is_silent = threading.Event()
        self.is_waiting = threading.Event()  # somebody waits for what will not come
        self.is_over = threading.Event()
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
        self.client = boto3.client("s3", endpoint_url=behind, **keys)
        self.client.create_bucket(Bucket=BUCKET)

    def answer_next(self, status: int, code: str, *, times: int = 1) -> None:
        """Answer the next parts with an error of S3's."""
        self.errors.extend([(status, code)] * times)

    def variables(self, address: str) -> dict[str, str]:
        """Return the settings of a site that stores here, reached at `address`."""
        return {
            "USE_S3": "True",
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "AWS_S3_ENDPOINT_URL": address,
            "AWS_S3_ADDRESSING_STYLE": "path",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }


class FailingHandler(Handler):
    """One request that may be answered by an error, or by nothing until the gate closes."""

    server: FailingGate

    def do_PUT(self) -> None:
        if SIGNED not in self.path:
            self._own()
            return
        if SIGNED in self.path:
            self.server.signed_sha256.add(self.headers.get("x-amz-content-sha256", ""))
        if SIGNED in self.path and self.server.is_silent.is_set():
            self.rfile.read(int(self.headers["Content-Length"]))
            self.server.is_waiting.set()
            self.close_connection = True
            self.server.is_over.wait()
        elif SIGNED in self.path and self.server.errors:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, code = self.server.errors.popleft()
            self._answer(status, {}, f"<Error><Code>{code}</Code></Error>".encode())
        else:
            self._pass()

    def _own(self) -> None:
        """Answer what the site itself asks."""
        if self.server.refusal:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, code = self.server.refusal
            self._answer(status, {}, f"<Error><Code>{code}</Code></Error>".encode())
        else:
            self._pass()

    do_GET = do_POST = do_DELETE = do_HEAD = _own

    def send_response(self, code: int, message: str | None = None) -> None:
        if SIGNED in self.path:
            self.server.answered.append((self.command, code))
        super().send_response(code, message)


@contextlib.contextmanager
def failing_s3() -> Iterator[FailingGate]:
    """Run an S3 server with one bucket behind a gate."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    gate = FailingGate(f"http://{host}:{port}")
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    try:
        yield gate
    finally:
        gate.is_over.set()
        gate.shutdown()
        gate.server_close()
        server.stop()
