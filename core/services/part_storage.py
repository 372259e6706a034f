"""Where parts of uploads go, and the signed local links that bring them.

# Note [Signed part links]
The request that brings a part has no session, no token and no row: the link is everything. It is signed for one
upload, one number, one size, one expiry and, when given, one SHA-256, and it is in the query, which no log line has.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.files.storage import storages
from django.urls import reverse
from django.utils.http import urlencode

from core.storage.local_parts import LocalPartStorage
from core.storage.parts import PartedUpload, PartRequest, PartStorage, SignedPart

# Called as S3 calls its own, so that what keeps those out of log lines (core.logs, SECRETS) keeps this out too.
QUERY_FIELD = "Signature"
_SALT = "core.parts"


def part_storage() -> PartStorage:
    """Return the storage of parts that USE_S3 chooses."""
    if settings.USE_S3:
        # Importing the vendor's library costs time and memory that local mode never pays.
        from core.storage.s3_parts import S3PartStorage

        return S3PartStorage(storages["default"])
    return local_part_storage()


def local_part_storage() -> LocalPartStorage:
    """Return the storage on the disk of MEDIA_ROOT."""
    return LocalPartStorage(Path(settings.MEDIA_ROOT), sign=signed_part)


def signed_part(upload: PartedUpload, request: PartRequest) -> SignedPart:
    """Return the path, on this site, to which this one part may be PUT until it expires."""
    expires_at_ms = round(request.expires_at.timestamp() * 1000)
    value = [
        upload.storage_path,
        upload.part_size_bytes,
        request.number,
        request.size_bytes,
        request.sha256,
        expires_at_ms,
    ]
    path = reverse("core:upload_part_bytes", args=[upload.upload_id, request.number])
    token = signing.Signer(salt=_SALT).sign_object(value, compress=False)
    return SignedPart(f"{path}?{urlencode({QUERY_FIELD: token})}", {})


def read_signed_part(
    token: str, *, upload_id: str, number: int, now: datetime
) -> tuple[PartedUpload, PartRequest] | None:
    """Return what a valid, unexpired link for that upload and number was signed for, else None."""
    try:
        value: list[Any] = signing.Signer(salt=_SALT).unsign_object(token)
        path, part_size_bytes, signed_number, size_bytes, sha256, expires_at_ms = value
    except (signing.BadSignature, ValueError, TypeError):
        return None
    upload = PartedUpload(path, upload_id, part_size_bytes)
    request = PartRequest(number, size_bytes, sha256, datetime.fromtimestamp(expires_at_ms / 1000, UTC))
    is_ours = path.endswith(f"/{upload_id}") and signed_number == number and now < request.expires_at
    return (upload, request) if is_ours else None
