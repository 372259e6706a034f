"""Uploads in parts straight to S3: multipart uploads whose parts come by presigned requests.

# Note [Found out by looking]
Any reply may be lost after the storage has done what it was asked, and the vendor's client then asks again and hears
that there is no such upload. So an upload that is not there is looked for as an object under its key before it is
called lost. The key is random and the upload's own: what lies there with the right size is what was sent.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage

from core.storage.base import ObjectExists, ObjectNotFound
from core.storage.keys import checked_key, is_key
from core.storage.parts import (
    MEBIBYTE,
    PartedUpload,
    PartRequest,
    SignedPart,
    UploadNotHeld,
    check_parts,
)
from core.storage.s3 import S3StorageBackend
from core.storage.s3_errors import vendor_errors
from core.storage.timed import timed


class S3PartStorage:
    """Uploads are multipart uploads of the bucket; see `core.storage.parts.PartStorage`."""

    name = "s3"
    recording_part_bytes = 5 * MEBIBYTE  # the least S3 takes for any part but the last
    wants_part_sha256 = True

    def __init__(self, storage: Storage):
        self._backend = S3StorageBackend(storage)
        self._client = self._backend.client
        self._bucket = self._backend.bucket_name

    @timed
    def begin(self, storage_path: str) -> str:
        """Begin a multipart upload (see PartStorage); one whose reply is lost is swept."""
        key = checked_key(storage_path)
        with vendor_errors(key):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType="application/octet-stream", **self._backend.object_parameters
            )
        return begun["UploadId"]

    def reserve(self, upload: PartedUpload, up_to_bytes: int) -> None:
        """Do nothing: a bucket has no room to reserve."""

    def sign(self, upload: PartedUpload, request: PartRequest, *, now: datetime) -> SignedPart:
        """Return a URL signed for one part, its length and, when given, its SHA-256 (see PartStorage)."""
        parameters = {**self._named(upload), "PartNumber": request.number, "ContentLength": request.size_bytes}
        headers = {"x-amz-content-sha256": request.sha256} if request.sha256 else {}
        expires_in_s = max(1, int((request.expires_at - now).total_seconds()))
        with vendor_errors(upload.storage_path):
            url = self._client.generate_presigned_url(
                "upload_part", Params=parameters | {"SignedHeaders": headers}, ExpiresIn=expires_in_s
            )
        return SignedPart(url, headers)

    @timed
    def held(self, upload: PartedUpload) -> dict[int, int]:
        """Return what the bucket lists (see PartStorage)."""
        return {part["PartNumber"]: part["Size"] for part in self._listed(upload)}

    @timed
    def finish(self, upload: PartedUpload, size_bytes: int) -> None:
        """Check the bucket's own list and complete the upload with it (see PartStorage)."""
        try:
            parts = self._listed(upload)
            check_parts({part["PartNumber"]: part["Size"] for part in parts}, size_bytes, upload.part_size_bytes)
            listed = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
            with vendor_errors(upload.storage_path):
                self._client.complete_multipart_upload(**self._named(upload), MultipartUpload={"Parts": listed})
        except (UploadNotHeld, ObjectNotFound, ObjectExists):
            self._look_for(upload, size_bytes)  # Note [Found out by looking]

    def _look_for(self, upload: PartedUpload, size_bytes: int) -> None:
        """Raise UploadNotHeld unless the object is there and has that size."""
        try:
            stored = self._backend.stat(upload.storage_path)
        except ObjectNotFound as error:
            raise UploadNotHeld(upload.storage_path) from error
        if stored.size_bytes != size_bytes:
            raise UploadNotHeld(upload.storage_path)

    @timed
    def discard(self, upload: PartedUpload) -> None:
        """Abort the multipart upload (see PartStorage)."""
        try:
            with vendor_errors(upload.storage_path):
                self._client.abort_multipart_upload(**self._named(upload))
        except ObjectNotFound:
            pass

    @timed
    def touched_at(self, upload: PartedUpload) -> datetime | None:
        """Return when the bucket got the newest part (see PartStorage)."""
        try:
            return max((part["LastModified"] for part in self._listed(upload)), default=None)
        except UploadNotHeld:
            return None

    def begun_before(self, time: datetime) -> Iterator[PartedUpload]:
        """Yield the multipart uploads under our own keys begun before a time (see PartStorage)."""
        with vendor_errors("videos/"):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix="videos/")
            listed = [upload for page in pages for upload in page.get("Uploads", [])]
        for upload in listed:
            if upload["Initiated"] < time and is_key(upload["Key"]):
                yield PartedUpload(upload["Key"], upload["UploadId"], 0)

    def _listed(self, upload: PartedUpload) -> list[dict[str, Any]]:
        try:
            with vendor_errors(upload.storage_path):
                pages = self._client.get_paginator("list_parts").paginate(**self._named(upload))
                return [part for page in pages for part in page.get("Parts", [])]
        except ObjectNotFound as error:
            raise UploadNotHeld(upload.storage_path) from error

    def _named(self, upload: PartedUpload) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": checked_key(upload.storage_path), "UploadId": upload.upload_id}
