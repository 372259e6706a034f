"""What says that a local part is held: its mark, a link named by its number that says its size and its link's time.

# Note [A late try]
A try whose sender has given up may wait in a busy server with half of its bytes, while the next try brings the whole
part and is acknowledged. Begun after that, it would take the mark away and break off. So a mark also says until when
its link was good, and a try by an older link is told that the part is busy: whoever still wants it asks for a new
link. Older means by less than links live, for a clock that was set back must not keep anybody out for longer.
"""

from contextlib import suppress
from pathlib import Path

from core.storage.disk import disk_errors
from core.storage.parts import LINK_LIVES, PartBusy, PartRequest, UploadNotHeld

LINKS_LIVE_MS = round(LINK_LIVES.total_seconds() * 1000)


def mark(folder: Path, request: PartRequest) -> None:
    """Say that the part is held, in one step."""
    path_of(folder, request).symlink_to(f"{request.size_bytes} {_stamp(request)}")


def unmark(folder: Path, request: PartRequest) -> None:
    """Say that the part is not held, before the first byte of another try."""
    path_of(folder, request).unlink(missing_ok=True)


def path_of(folder: Path, request: PartRequest) -> Path:
    """Return where the mark of a part is."""
    return folder / "parts" / str(request.number)


def marked(folder: Path) -> dict[int, int]:
    """Return number → bytes of every mark; UploadNotHeld."""
    try:
        marks = [path for path in (folder / "parts").iterdir() if path.name.isdecimal()]
    except FileNotFoundError as error:
        raise UploadNotHeld(folder.name) from error
    found = {}
    for each in marks:
        with suppress(FileNotFoundError):  # its part is being sent again
            found[int(each.name)] = int(str(each.readlink()).partition(" ")[0])
    return dict(sorted(found.items()))


def refuse_late(folder: Path, request: PartRequest) -> None:
    """Raise PartBusy for a link older than the one that brought the part (Note [A late try])."""
    with disk_errors(), suppress(FileNotFoundError):
        newest = int(str(path_of(folder, request).readlink()).partition(" ")[2] or 0)
        if 0 < newest - _stamp(request) <= LINKS_LIVE_MS:
            raise PartBusy("It was brought by a newer link.")


def _stamp(request: PartRequest) -> int:
    """Return the end of the link's time in milliseconds."""
    return round(request.expires_at.timestamp() * 1000)
