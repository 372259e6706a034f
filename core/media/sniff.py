"""What a container says about itself in its first bytes: its media type, and whether its index is missing."""

from pathlib import Path

from core.media.boxes import top_boxes

_EBML_DOCTYPE = b"\x42\x82"  # RFC 8794, section 11.2.4
_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_PHOTO_BRANDS = {"heic", "heix", "mif1", "avif"}


def mime_type(path: Path, *, container: str, brand: str) -> str:
    """Return the media type, from FFmpeg's name of the container and the major brand of an ISO file."""
    if container == "avi":
        return "video/x-msvideo"
    if "matroska" in container:
        return "video/webm" if _doctype(path) == b"webm" else "video/x-matroska"
    if brand.startswith("3g2"):
        return "video/3gpp2"
    if brand.startswith("3g"):
        return "video/3gpp"
    # A QuickTime file from before `ftyp` existed has no brand at all.
    return "video/quicktime" if brand.strip() in {"", "qt"} else "video/mp4"


def is_photo(brand: str) -> bool:
    """Return whether the major brand is one of single pictures (ISO 23008-12): a frame, but no video."""
    return brand in _PHOTO_BRANDS


def lacks_index(path: Path) -> bool:
    """Return whether this is an ISO file without a whole `moov` box: one whose end was cut off."""
    size_bytes = path.stat().st_size
    kinds: set[bytes] = set()
    for box in top_boxes(path):
        if box.kind == b"moov" and box.end <= size_bytes:
            return False
        if box.kind == b"meta" or (not kinds and box.kind not in _FIRST_BOXES):
            return False  # a photo, or no ISO file at all
        kinds.add(box.kind)
    return bool(kinds & {b"ftyp", b"moov", b"mdat"})


def _doctype(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(256)
    place = head.find(_EBML_DOCTYPE)
    if place < 0 or place + 3 > len(head):
        return b""
    length = head[place + 2] & 0x7F
    return head[place + 3 : place + 3 + length].rstrip(b"\0")
