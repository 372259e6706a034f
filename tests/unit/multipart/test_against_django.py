"""Our reader reads what Django's own parser reads, wherever blocks and boundaries fall."""

import os

import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from hypothesis import given
from hypothesis import strategies as st

from core.body import BodyReader
from core.multipart import VideoUploadHandler
from tests.unit.multipart.forms import VIDEO, Trickle, form, left_in, part, posted


@given(
    fields=st.lists(
        st.tuples(st.sampled_from(["a", "b", "name"]), st.text(st.characters(codec="utf-8"), max_size=40)),
        max_size=4,
    ),
    content=st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"x", b"\r\n--", b"----WebKit", b"\0"])).map(b"".join),
    place=st.integers(0, 4),
    boundary=st.text("abcXYZ019'()+_,-./:=?", min_size=1, max_size=70).filter(lambda b: b[-1] not in " '"),
    step=st.integers(1, 80),
    block_bytes=st.sampled_from([9_000, 1 << 20]),
)
def test_it_reads_what_djangos_parser_reads(tmp_path_factory, fields, content, place, boundary, step, block_bytes):
    content_type = f'multipart/form-data; boundary="{boundary}"'
    parts = [part(f'name="{name}"', value.encode()) for name, value in fields]
    parts.insert(min(place, len(parts)), part(VIDEO, content, "Content-Type: video/mp4"))
    if any(f"--{boundary}".encode() in p for p in parts):
        return  # a client must choose another boundary
    body = form(*parts, boundary=boundary)
    folder = tmp_path_factory.mktemp("incoming")
    theirs, ours = (posted(body, step=step, content_type=content_type) for _ in range(2))
    theirs.upload_handlers = [TemporaryFileUploadHandler(theirs)]
    handler = VideoUploadHandler(ours, folder=folder, max_bytes=1 << 30)
    handler.chunk_size = block_bytes
    ours.upload_handlers = [handler]
    assert ours.POST == theirs.POST
    assert ours.FILES["video"].read() == theirs.FILES["video"].read() == content
    ours.close()
    theirs.close()
    assert left_in(folder) == []


@pytest.mark.parametrize("step", range(1, 64))
def test_a_boundary_may_be_split_anywhere(receive, step):
    request = receive(
        form(part(VIDEO, b"ab\r\n------WebKitFormBoundaryAbCdEf\r\r\n-"), part('name="a"', b"1")), step=step
    )
    assert request.FILES["video"].read() == b"ab\r\n------WebKitFormBoundaryAbCdEf\r\r\n-"
    assert request.POST["a"] == "1"


@pytest.mark.parametrize("shift", range(60))
def test_a_boundary_may_lie_across_the_end_of_our_block(receive, shift):
    content = b"\r" * (20_000 - shift)
    assert receive(form(part(VIDEO, content)), block_bytes=10_000).FILES["video"].read() == content


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_a_block_stays_as_it_is_until_the_next_one_has_come(step):
    content = os.urandom(500) + b"\r\n--\r\n--b\r\r\r" * 20 + os.urandom(500)
    body = Trickle(content + b"\r\n--boundary", step)

    def source(view):
        block = body.read(len(view))
        view[: len(block)] = block
        return len(block)

    before, copies = memoryview(b""), [b""]
    for block in BodyReader(source, len(content) + 12, block_bytes=64).blocks_until(b"\r\n--boundary"):
        assert before == copies[-1]
        before = block
        copies.append(bytes(block))
    assert b"".join(copies) == b"\r\n" + content
