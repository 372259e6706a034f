"""Videos in a bucket of S3, or of anything that speaks S3.

Only the modules named s3 import the vendor's library; local mode loads none of them.

# Note [Never overwriting in S3]
Every PUT and every completion of a multipart upload carries `If-None-Match: *`, so the storage itself
refuses a key that exists. When the reply to a success is lost, the vendor's client sends the same again and
is refused by its own object: each upload therefore leaves a random mark in the metadata, and a refusal is
looked into before it is believed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage

from core.storage.base import ObjectExists, StoredObject, blocks_of, round_trip
from core.storage.disk import disk_errors
from core.storage.keys import checked_key, new_key
from core.storage.s3_bytes import Forward, stored_bytes
from core.storage.s3_client import PrivateS3Storage
from core.storage.s3_errors import vendor_errors
from core.storage.timed import timed

_MARK = "practika-upload"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class S3StorageBackend:
    """Keys are objects of one bucket; URLs are presigned (SigV4) or, with a custom domain, CloudFront's."""

    name = "s3"

    def __init__(self, storage: Storage, *, now: Callable[[], datetime] = _utc_now):
        if not isinstance(storage, PrivateS3Storage):
            raise ImproperlyConfigured('USE_S3 needs STORAGES["default"] with the BACKEND of core.storage.options.')
        self._storage = storage
        self._bucket = storage.bucket_name
        self._now = now

    @property
    def client(self):
        """The vendor's client, for uploads in parts."""
        return self._storage.client

    @property
    def bucket_name(self) -> str:
        """The bucket's name."""
        return self._bucket

    @property
    def object_parameters(self) -> dict:
        """What every new object gets."""
        return self._storage.object_parameters

    @timed
    def upload(self, file_obj: BinaryIO, filename: str) -> str:
        """Stream `file_obj` into a new object and return its key (see VideoBackend)."""
        key = new_key(self._now())
        with self._putting(key, "application/octet-stream") as arguments:
            self._storage.client.upload_fileobj(Forward(blocks_of(file_obj)), **arguments)
        return key

    def get_url(
        self, storage_path: str, *, expires_in_s: int = 3600, mime_type: str = "video/mp4", disposition: str = "inline"
    ) -> str:
        """Return a URL signed for GET; the answer has `mime_type` and `disposition` (see VideoBackend)."""
        key = checked_key(storage_path)
        if self._storage.custom_domain:
            answer = {"response-content-type": mime_type, "response-content-disposition": disposition}
            return self._storage.url(key, answer, expire=expires_in_s)
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": mime_type,
            "ResponseContentDisposition": disposition,
        }
        with vendor_errors(key):
            return self._storage.client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=expires_in_s)

    @timed
    def delete(self, storage_path: str) -> None:
        """Remove the object; one that is absent is fine."""
        key = checked_key(storage_path)
        with vendor_errors(key):
            self._storage.client.delete_object(Bucket=self._bucket, Key=key)

    @timed
    def adopt(self, source: Path, storage_path: str, *, mime_type: str) -> None:
        """Upload `source` with its type, then remove it; raises ObjectExists."""
        key = checked_key(storage_path)
        source.stat()  # a caller's mistake, not the bucket's
        with self._putting(key, mime_type) as arguments:
            self._storage.client.upload_file(str(source), **arguments)
        with disk_errors():
            source.unlink()

    @timed
    def open(self, storage_path: str) -> BinaryIO:
        """Return the object as it comes over the wire, without a copy on disk; raises ObjectNotFound."""
        key = checked_key(storage_path)
        with vendor_errors(key):
            body = self._storage.client.get_object(Bucket=self._bucket, Key=key)["Body"]
        return stored_bytes(body, lambda: vendor_errors(key))

    @timed
    def stat(self, storage_path: str) -> StoredObject:
        """Return what the bucket says; raises ObjectNotFound."""
        return StoredObject(size_bytes=self._head(checked_key(storage_path))["ContentLength"])

    def check(self) -> None:
        """Write, read and delete a small object; raises StorageUnavailable."""
        round_trip(self)

    def _head(self, key: str) -> dict:
        with vendor_errors(key):
            return self._storage.client.head_object(Bucket=self._bucket, Key=key)

    @contextmanager
    def _putting(self, key: str, mime_type: str) -> Iterator[dict]:
        """Give the arguments of an upload to `key`; a refusal by our own object is a success."""
        mark = str(uuid4())
        extra = {**self._storage.object_parameters, "ContentType": mime_type, "Metadata": {_MARK: mark}}
        try:
            with vendor_errors(key):
                yield {
                    "Bucket": self._bucket,
                    "Key": key,
                    "ExtraArgs": extra,
                    "Config": self._storage.transfer_config,
                }
        except ObjectExists:
            if self._head(key)["Metadata"].get(_MARK) != mark:
                raise
