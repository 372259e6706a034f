"""Forms with a video as browsers post them, whole or trickling in."""

from io import BytesIO

from django.core.handlers.wsgi import WSGIRequest

BOUNDARY = "----WebKitFormBoundaryAbCdEfGh"
VIDEO = 'name="video"; filename="dance.mp4"'


class Trickle:
    """A stream that gives at most `step` bytes a read, as a slow line does."""

    def __init__(self, content, step):
        self._file, self._step = BytesIO(content), step

    def read(self, size):
        return self._file.read(min(size, self._step))

    def readline(self, size):
        raise AssertionError("a body is no text")


def part(disposition, content=b"", *headers):
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def form(*parts, boundary=BOUNDARY, preamble=b"", epilogue=b"\r\n"):
    line = b"--" + boundary.encode()
    return preamble + b"".join(line + b"\r\n" + p + b"\r\n" for p in parts) + line + b"--" + epilogue


def posted(body, *, step=1 << 20, length=None, content_type=None, stream=None, boundary=BOUNDARY):
    return WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": content_type or f"multipart/form-data; boundary={boundary}",
            "CONTENT_LENGTH": str(len(body) if length is None else length),
            "wsgi.input": stream or Trickle(body, step),
        }
    )


def left_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


#: Two fields and a video between them.
WHOLE = form(part('name="a"', b"1"), part(VIDEO, b"moving pictures"), part('name="b"', b"2"))
