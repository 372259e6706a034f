"""The two storages a move goes between, whatever USE_S3 says, and what rows want to find there."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from core.backup.folder import FolderPlace
from core.backup.places import Place, open_place
from core.models import Rendition, VideoAsset
from core.services.backup_repository import site_s3_options
from core.services.storage import signed_media_path
from core.storage.base import StorageUnavailable, VideoBackend
from core.storage.keys import is_key
from core.storage.local import LocalStorageBackend

LOCAL, S3 = "local", "s3"
IMAGE, WEB_VIDEO, TEXT = "image/jpeg", "video/mp4", "text/vtt"
TYPES = {
    Rendition.Kind.WEB: WEB_VIDEO,
    Rendition.Kind.POSTER: IMAGE,
    Rendition.Kind.SPRITE: IMAGE,
    Rendition.Kind.VTT: TEXT,
}


@dataclass(frozen=True)
class Side:
    """One storage: what it does, and where it is."""

    address: str
    backend: VideoBackend
    place: Place

    def sizes(self) -> dict[str, int]:
        """Return key → bytes of every object of ours; raises PlaceUnavailable."""
        return {name: size for name, size in self.place.names("videos/").items() if is_key(name)}


@dataclass(frozen=True)
class Named:
    """An object as its row tells it; `sha256` is "" while the row has none."""

    key: str
    sha256: str
    mime_type: str


def named_objects() -> dict[str, Named]:
    """Return every object that rows name, by key; of several rows one with a checksum speaks."""
    videos = VideoAsset.objects.stored().order_by("pk").values_list("storage_path", "checksum_sha256", "mime_type")
    made = Rendition.objects.order_by("pk").values_list("storage_path", "checksum_sha256", "kind")
    rows = [Named(key, sha256 or "", mime) for key, sha256, mime in videos]
    rows += [Named(key, sha256, TYPES[Rendition.Kind(kind)]) for key, sha256, kind in made]
    return {row.key: row for row in sorted(rows, key=lambda row: bool(row.sha256))}


def side_of(name: str) -> Side:
    """Return the storage of that name, as the settings describe it; raises StorageUnavailable without a bucket."""
    if name == LOCAL:
        root = Path(settings.MEDIA_ROOT)
        return Side(str(root), LocalStorageBackend(root, sign_url=signed_media_path), FolderPlace(root))
    bucket = settings.AWS_STORAGE_BUCKET_NAME
    if not bucket:
        raise StorageUnavailable("AWS_STORAGE_BUCKET_NAME is not set. Name the bucket, and the keys that open it.")
    # Costly, and local mode never pays for it.
    from core.storage.s3 import S3StorageBackend
    from core.storage.s3_client import PrivateS3Storage

    options = site_s3_options()
    backend = S3StorageBackend(PrivateS3Storage(**{**options, "bucket_name": bucket}))
    place = open_place(f"s3://{bucket}", scratch=settings.INCOMING_ROOT, s3_options=options)
    return Side(f"{place.address} at {settings.AWS_S3_ENDPOINT_URL}", backend, place)
