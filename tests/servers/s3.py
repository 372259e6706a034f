"""A real S3 server over HTTP, behind a gate that checks signatures (`tests/storage/gate.py`)."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.storage.gate import SECRET, gate_before


@contextmanager
def s3_server() -> Iterator[str]:
    """Yield the address of an S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@contextmanager
def s3_variables(bucket: str) -> Iterator[dict[str, str]]:
    """Yield the variables of a site whose videos are kept in that (not yet made) bucket of a server of its own."""
    with s3_server() as address, gate_before(address) as gate:
        yield {
            "USE_S3": "True",
            "AWS_STORAGE_BUCKET_NAME": bucket,
            "AWS_S3_ENDPOINT_URL": gate.address,
            "AWS_S3_ADDRESSING_STYLE": "path",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }
