"""One video in a multipart/form-data body, streamed to disk (RFC 7578; RFC 2046 section 5.1).

# Note [Our own multipart reader]
Django's parser asks for 64 KiB at a time, which is slow to read from a server, and hashes nothing. Here a
body is read in 1 MiB blocks; each is searched once for the delimiter with `find` and written as it is. The
end of a block waits for the next one only when it may be the start of a delimiter: a delimiter has one
carriage return, its first byte, so the block's last one decides. The reader is strict where Django's is
lenient: what is not well-formed is a MultiPartParserError, because a body cut short must never become a
shorter video or a form without its file. A part without a name, a second file, a file in another field and a
transfer encoding are refused for the same reason.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters

from core.body import BodyReader, body_source
from core.long_bodies import LONG_BYTES, place
from core.received import NoSpaceLeft, ReceivedVideo, VideoTooLarge, VideoWriter

__all__ = ["MultiPartParserError", "NoSpaceLeft", "ReceivedVideo", "VideoTooLarge", "VideoUploadHandler"]

BLOCK_BYTES = 1024 * 1024
MAX_HEADER_BYTES = 8 * 1024
# Room beside the video for the fields' headers and boundaries, when a body's announced length is judged.
ENVELOPE_BYTES = 64 * 1024


class VideoUploadHandler(FileUploadHandler):
    """Reads the whole body itself: small fields into POST, one video into a private file in `folder`.

    `request.FILES[video_field]` is a ReceivedVideo. Raises MultiPartParserError, VideoTooLarge,
    RequestDataTooBig, TooManyFieldsSent, NoSpaceLeft, TooManyBodies or StorageUnavailable, and then leaves no file
    behind. A long form holds a place from its first byte on, a short one from that of its video, until the video is
    closed.
    """

    chunk_size = BLOCK_BYTES

    def __init__(self, request: HttpRequest | None = None, *, folder: Path, max_bytes: int, video_field: str = "video"):
        super().__init__(request)
        self._folder = folder
        self._max_bytes = max_bytes
        self._video_field = video_field

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):
        """Return (POST, FILES), read from `input_data`; Django calls this instead of its own parser."""
        fields_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if fields_bytes is not None and content_length > self._max_bytes + fields_bytes + ENVELOPE_BYTES:
            raise VideoTooLarge(self._max_bytes)
        self._place: AbstractContextManager[None] = place(META)
        with ExitStack() as self._held:
            if content_length > LONG_BYTES:
                self._hold_place()
            source = body_source(input_data, META, content_length)
            reader = BodyReader(source, content_length, block_bytes=self.chunk_size)
            return self._read(reader, boundary, encoding or settings.DEFAULT_CHARSET)

    def _read(self, body: BodyReader, boundary: bytes, encoding: str) -> tuple[QueryDict, MultiValueDict]:
        form = _Form(encoding)
        try:
            for part in _parts(body, boundary, form.encoding):
                if part.file_name is None:
                    form.add_field(part)
                else:
                    self._receive(part, form)
        except BaseException:
            form.discard()
            raise
        return form.finished()

    def _hold_place(self) -> None:
        """Hold a place (Note [Room for the others]), unless it is held already."""
        self._held.enter_context(self._place)
        self._place = nullcontext()

    def _receive(self, part: "_Part", form: "_Form") -> None:
        """Stream a file part to disk; an input in which nothing was chosen is no file."""
        form.count_part()
        first = next(part.blocks, memoryview(b""))
        if not part.file_name and not first:
            return
        if part.name != self._video_field:
            raise MultiPartParserError("A file came in a field that takes none.")
        if form.files:
            raise MultiPartParserError("More than one file was sent.")
        self._hold_place()
        writer = VideoWriter(self._folder, max_bytes=self._max_bytes)
        try:
            writer.write(first)
            for block in part.blocks:
                writer.write(block)
        except BaseException:
            writer.discard()
            raise
        video = writer.finish(name=part.file_name or "", content_type=part.content_type)
        video.at_close = self._held.pop_all()
        form.files.appendlist(part.name, video)


@dataclass(frozen=True)
class _Part:
    """One part of the body; `blocks` must be read to its end before the next part is asked for."""

    name: str
    file_name: str | None
    content_type: str
    blocks: Iterator[memoryview]


class _Form:
    """What was read so far, within DATA_UPLOAD_MAX_MEMORY_SIZE and DATA_UPLOAD_MAX_NUMBER_FIELDS."""

    def __init__(self, encoding: str):
        self.encoding = encoding
        self.files: MultiValueDict = MultiValueDict()
        self._fields = QueryDict(mutable=True, encoding=encoding)
        self._parts = 0
        self._field_bytes = 0

    def count_part(self) -> None:
        self._parts += 1
        limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        if limit is not None and self._parts > limit:
            raise TooManyFieldsSent(f"More than {limit} fields were sent.")

    def add_field(self, part: _Part) -> None:
        self.count_part()
        self._count_bytes(len(part.name) + 2)  # as Django counts: name, "=" and "&"
        value = bytearray()
        for block in part.blocks:
            self._count_bytes(len(block))
            value += block
        self._fields.appendlist(part.name, value.decode(self.encoding, "replace"))

    def _count_bytes(self, size: int) -> None:
        self._field_bytes += size
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if limit is not None and self._field_bytes > limit:
            raise RequestDataTooBig(f"The fields beside the video are larger than {limit} bytes.")

    def finished(self) -> tuple[QueryDict, MultiValueDict]:
        self._fields._mutable = False  # Django's own parser ends the same way
        return self._fields, self.files

    def discard(self) -> None:
        for _, files in self.files.lists():
            for file in files:
                file.close()


def _parts(body: BodyReader, boundary: bytes, encoding: str) -> Iterator[_Part]:
    """Yield the parts in order; what stands before the first boundary and after the last is dropped."""
    delimiter = b"\r\n--" + boundary
    for _ in body.blocks_until(delimiter):
        pass
    while not body.starts_with(b"--"):
        head = body.take_until(b"\r\n\r\n", MAX_HEADER_BYTES)
        yield _part(head, body.blocks_until(delimiter), encoding)
    body.drop_rest()


def _part(head: bytes, blocks: Iterator[memoryview], encoding: str) -> _Part:
    """Return the part that `head` (the rest of the boundary's line, then header lines) describes."""
    padding, *lines = head.split(b"\r\n")
    if padding.strip(b" \t"):
        raise MultiPartParserError("Something stands between a boundary and the end of its line.")
    headers = {name: (value, parameters) for name, value, parameters in map(_header, lines)}
    disposition, parameters = headers.get("content-disposition", ("", {}))
    name = parameters.get("name", "").encode("utf-8", "replace").decode(encoding, "replace").strip()
    if disposition != "form-data" or not name:
        raise MultiPartParserError("A part does not say which field it is.")
    if headers.get("content-transfer-encoding", ("binary",))[0] not in {"7bit", "8bit", "binary"}:
        raise MultiPartParserError("A part has a transfer encoding; RFC 7578 allows none.")
    content_type = headers.get("content-type", ("application/octet-stream",))[0]
    return _Part(name=name, file_name=parameters.get("filename"), content_type=content_type, blocks=blocks)


def _header(line: bytes) -> tuple[str, str, dict[str, str]]:
    """Return a header line as name and value, in lower case, and parameters with RFC 2231 undone."""
    try:
        start, parameters = parse_header_parameters(line.decode())
        name, value = start.split(":", 1)
    except ValueError as error:
        raise MultiPartParserError("A header of a part is malformed.") from error
    return name, value.strip(), parameters
