"""The one way from the rest of Practika to where videos are stored, and the signed links that play them.

# Note [Signed media links]
In local mode a player has no credentials but its link: a key and a lifetime, signed with the time of signing.
The lifetime is inside the token, so it can be neither lengthened nor set by whoever reads it. Browsers go on
asking the same URL while a video plays, therefore it lives for max(1 h, 4 × duration), at most 12 h.
"""

from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core import signing
from django.core.files.storage import storages
from django.urls import reverse

from core.storage.base import VideoBackend
from core.storage.keys import is_key
from core.storage.local import LocalStorageBackend

_SALT = "core.media"
_SHORTEST_S = 3600
_LONGEST_S = 12 * 3600


class VideoStorageService:
    """Stores, plays and deletes videos in the backend that USE_S3 chooses.

    Every method may raise the errors of `core.storage.base`.
    """

    def __init__(self):
        self.backend = self._get_backend()

    def _get_backend(self) -> VideoBackend:
        if settings.USE_S3:
            # Importing the vendor's library costs time and memory that local mode never pays.
            from core.storage.s3 import S3StorageBackend

            return S3StorageBackend(storages["default"])
        return LocalStorageBackend(Path(settings.MEDIA_ROOT), sign_url=signed_media_path)

    def upload_video(self, file_obj: BinaryIO, filename: str) -> str:
        """Stream `file_obj` into a new object and return its storage path."""
        return self.backend.upload(file_obj, filename)

    def get_video_url(self, video_asset, *, expires_in_s: int | None = None) -> str:
        """Return a signed URL that plays `video_asset`; how long is in Note [Signed media links]."""
        return self.backend.get_url(
            video_asset.storage_path,
            expires_in_s=playback_seconds(video_asset.duration_ms) if expires_in_s is None else expires_in_s,
            mime_type=video_asset.mime_type,
        )

    def delete_video(self, storage_path: str) -> None:
        """Remove the stored object; one that is absent is fine."""
        self.backend.delete(storage_path)

    def adopt_video(self, source: Path, *, storage_path: str, mime_type: str) -> None:
        """Store the finished local file `source` under `storage_path` (see `core.storage.keys.new_key`)."""
        self.backend.adopt(source, storage_path, mime_type=mime_type)


def playback_seconds(duration_ms: int | None) -> int:
    """Return how many seconds a link to a video of that duration lives."""
    return max(_SHORTEST_S, min(_LONGEST_S, 4 * (duration_ms or 0) // 1000))


def signed_media_path(storage_path: str, expires_in_s: int) -> str:
    """Return the path, on this site, that plays the stored object until it expires."""
    return reverse("core:signed_media", args=[signed_media_token(storage_path, expires_in_s)])


def signed_media_token(storage_path: str, expires_in_s: int) -> str:
    """Return the token of that path: it has no slash and opens one object until it expires."""
    return signing.TimestampSigner(salt=_SALT).sign_object([storage_path, expires_in_s])


def read_signed_media(token: str) -> str | None:
    """Return the storage path of a valid, unexpired token, else None; what is no key of ours is asked of nobody."""
    signer = signing.TimestampSigner(salt=_SALT)
    try:
        storage_path, expires_in_s = signer.unsign_object(token)
        signer.unsign_object(token, max_age=expires_in_s)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return storage_path if is_key(storage_path) else None
