"""The secret key of a laptop: made once, kept in a git-ignored file that only its owner may read."""

import os
import secrets
from pathlib import Path


def development_key(path: Path, *, wanted: bool) -> str:
    """Return the key kept at `path`, made when absent; "" when not wanted (production names its own).

    Two processes that start together agree: the file is written whole under another name, then linked, and
    linking fails for the second.
    """
    if not wanted:
        return ""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
