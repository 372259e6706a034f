"""Completes uploads, each in a process of its own that stops first, so that a test can attach to it.

For each line of standard input, the token of an upload of Ben, it says the number of the process that will complete it
and that is stopped (SIGSTOP), and then, once somebody has let it go on, how it ended: 0, or something else. An upload
that is new is opened before, with its only part. What is forked from a process that is set up begins at once.
"""

import os
import signal
import sys
import traceback
from pathlib import Path

import django


def opened(client_token: str, clip: bytes):
    """Return the upload with that token; one that is new has all its parts."""
    from django.utils import timezone

    from accounts.models import Membership
    from core.services.part_links import PartWish, sign_parts
    from core.services.part_storage import local_part_storage
    from core.services.uploads import open_upload, parted
    from core.storage.parts import PartRequest

    ben, now = Membership.objects.select_related("user", "classroom").get(), timezone.now()
    named = {"client_token": client_token, "file_name": "a.mp4", "mime_type": "video/mp4", "size_bytes": len(clip)}
    upload, is_new = open_upload(owner=ben.user, classroom=ben.classroom, **named, now=now)

    def source(view: memoryview) -> int:
        view[: len(clip)] = clip
        return len(clip)

    if is_new:
        sign_parts(upload=upload, wishes=[PartWish(1, len(clip))], now=now)
        local_part_storage().write(parted(upload), PartRequest(1, len(clip), "", now), source)
    return upload


def complete(client_token: str, clip: bytes) -> None:
    """Complete the upload with that token, once somebody lets this process go on."""
    from django.utils import timezone

    from core.services.completion import complete_upload

    upload = opened(client_token, clip)
    os.kill(os.getpid(), signal.SIGSTOP)
    complete_upload(upload=upload, size_bytes=len(clip), sha256="", now=timezone.now())


def main(clip: Path) -> None:
    """Do what the module says."""
    answers = os.dup(1)
    os.dup2(2, 1)  # where everything else is printed
    os.environ["DJANGO_SETTINGS_MODULE"] = "practika_project.settings"
    django.setup()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                complete(line.strip(), clip.read_bytes())
            except BaseException:  # whatever it is, the parent's loop is not this process's to run
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        os.write(answers, f"{child}\n".encode())
        os.write(answers, f"{os.waitpid(child, 0)[1]}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
