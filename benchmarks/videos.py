"""Videos to send: real ones, of any size."""

import os
import subprocess
import sys
from pathlib import Path

from servers import MEBIBYTE, ROOT


def real_video(path: Path, size_bytes: int) -> Path:
    """Write a playable video of that size: a clip of five seconds and a `free` box, which players skip."""
    script = "import sys; from pathlib import Path; from core.media.clips import write_clip;"
    script += "write_clip(Path(sys.argv[1]), seconds=5)"
    subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, check=True)
    padding = size_bytes - path.stat().st_size
    block = os.urandom(MEBIBYTE)
    with path.open("ab") as file:
        file.write((1).to_bytes(4, "big") + b"free" + padding.to_bytes(8, "big"))  # ISO 14496-12, section 4.2
        for begin in range(16, padding, MEBIBYTE):
            file.write(block[: padding - begin])
        file.flush()
        os.fsync(file.fileno())  # or the disk would still be busy with it when the first upload begins
    return path
