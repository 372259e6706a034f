"""A request with our upload handler, which leaves nothing behind."""

import pytest

from core.multipart import VideoUploadHandler
from tests.unit.multipart.forms import left_in, posted


@pytest.fixture
def receive(tmp_path):
    """Gives a request our handler; every request is closed, and then no file may be left."""
    requests = []

    def prepare(body, *, max_bytes=1 << 30, block_bytes=1 << 20, **how):
        request = posted(body, **how)
        handler = VideoUploadHandler(request, folder=tmp_path / "incoming", max_bytes=max_bytes)
        handler.chunk_size = block_bytes
        request.upload_handlers = [handler]
        requests.append(request)
        return request

    yield prepare
    for request in requests:
        request.close()
    assert left_in(tmp_path) == []
