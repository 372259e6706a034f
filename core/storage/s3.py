"""Videos in a bucket of S3, or of anything that speaks S3.

Beside `core.backup.s3` this is the only module that imports the vendor's library.

# Note [Never overwriting in S3]
Every PUT and every completion of a multipart upload carries `If-None-Match: *`, so the storage itself
refuses a key that exists. When the reply to a success is lost, the vendor's client sends the same again and
is refused by its own object: each upload therefore leaves a random mark in the metadata, and a refusal is
looked into before it is believed.

# Note [Silence is not asked twice]
An error, or a connection that breaks, is answered by up to three tries, a second or two apart. A bucket that takes a
request and says nothing for READ_TIMEOUT_S is believed: three times that would keep a person waiting for longer than
anybody does, and what it is still busy with (putting together a long video) would be begun again beside itself.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage
from storages.backends.s3 import S3Storage

from core.storage.base import (
    ObjectExists,
    ObjectNotFound,
    StorageFull,
    StorageUnavailable,
    StoredObject,
    blocks_of,
    round_trip,
)
from core.storage.disk import disk_errors
from core.storage.keys import checked_key, new_key
from core.storage.timed import timed

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
ATTEMPTS = 3
PART_BYTES = 8 * 1024 * 1024
READ_BYTES = 256 * 1024

_NOT_FOUND = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}
_EXISTS = {"PreconditionFailed", "412"}
_FULL = {"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}
_MARK = "practika-upload"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PrivateS3Storage(S3Storage):
    """django-storages' S3Storage with time-outs, flat memory, and a refusal of anything unsigned."""

    def __init__(self, **options):
        super().__init__(**options)
        if self.custom_domain and not self.cloudfront_signer:
            raise ImproperlyConfigured("A custom domain without a CloudFront key would hand out unsigned URLs.")
        if not self.querystring_auth or self.default_acl or self.file_overwrite:
            raise ImproperlyConfigured("Videos are private: keep the options that s3_options() returns.")
        self.client_config = Config(
            signature_version=self.signature_version,
            s3={"addressing_style": self.addressing_style},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # Two parts in memory at a time, whatever the size of the video.
        self.transfer_config = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=2
        )
        self.transfer_config.max_in_memory_upload_chunks = 2

    @cached_property
    def client(self):
        """The one client of all threads (clients are thread-safe; S3Storage would build one for each)."""
        client = self.connection.meta.client
        for operation in ("PutObject", "CompleteMultipartUpload"):
            client.meta.events.register(f"before-parameter-build.s3.{operation}", _never_overwrite)
        client.meta.events.register("before-parameter-build.s3.UploadPart", _take_signed_headers)
        client.meta.events.register("before-sign.s3.UploadPart", _add_signed_headers)
        client.meta.events.register_first("needs-retry.s3", _give_silence_up)
        return client


def _never_overwrite(params: dict, **_) -> None:
    """Add the condition of Note [Never overwriting in S3] to a request of the vendor's client."""
    params["IfNoneMatch"] = "*"


def _give_silence_up(caught_exception: Exception | None = None, **_) -> None:
    """End the tries where there was no answer in time; see Note [Silence is not asked twice]."""
    if isinstance(caught_exception, ReadTimeoutError):
        raise caught_exception


def _take_signed_headers(params: dict, context: dict, **_) -> None:
    """Keep the headers that `core.storage.s3_parts` wants signed; they are no parameter of the vendor's."""
    context["signed_headers"] = params.pop("SignedHeaders", {})


def _add_signed_headers(request, **_) -> None:
    """Put them into the request: the vendor's signature takes x-amz-content-sha256 for the body's hash."""
    for name, value in request.context.get("signed_headers", {}).items():
        request.headers[name] = value


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
            self._storage.client.upload_fileobj(_Forward(blocks_of(file_obj)), **arguments)
        return key

    def get_url(self, storage_path: str, *, expires_in_s: int = 3600, mime_type: str = "video/mp4") -> str:
        """Return a URL signed for GET; the answer has `mime_type` as its type (see VideoBackend)."""
        key = checked_key(storage_path)
        if self._storage.custom_domain:
            return self._storage.url(key, {"response-content-type": mime_type}, expire=expires_in_s)
        parameters = {"Bucket": self._bucket, "Key": key, "ResponseContentType": mime_type}
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


class _Forward:
    """Blocks as a file read once, forward: the vendor's library neither rewinds nor closes the caller's."""

    def __init__(self, blocks: Iterator[bytes]):
        self._blocks = blocks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        taken = bytearray(self._rest)
        while (size < 0 or len(taken) < size) and (block := next(self._blocks, b"")):
            taken += block
        end = len(taken) if size < 0 else size
        self._rest = bytes(taken[end:])
        return bytes(taken[:end])


def stored_bytes(body: Any, errors: Callable[[], AbstractContextManager[None]]) -> BinaryIO:
    """Return the body of a GET as a file, read as it comes over the wire; `errors` translates what reading raises."""
    return io.BufferedReader(_StoredBytes(body, errors), READ_BYTES)


class _StoredBytes(io.RawIOBase):
    """The body of a GET, its errors translated."""

    def __init__(self, body: Any, errors: Callable[[], AbstractContextManager[None]]):
        self._body, self._errors = body, errors

    def readable(self) -> bool:
        return True

    def readinto(self, target) -> int:
        with self._errors():
            block = self._body.read(len(target))
        target[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._body.close()
        super().close()


@contextmanager
def vendor_errors(key: str) -> Iterator[None]:
    """Turn what the vendor's library raises into our errors, with sentences that say what to look at."""
    try:
        yield
    except ClientError as error:
        raise _translated(error, key) from error
    except Boto3Error as error:
        cause = error.__context__  # upload_file() wraps the answer of the storage
        raise _translated(cause, key) if isinstance(cause, ClientError) else _unreachable(error) from error
    except BotoCoreError as error:
        raise _unreachable(error) from error


def _translated(error: ClientError, key: str) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code == "NoSuchBucket":
        return StorageUnavailable("The bucket does not exist: check AWS_STORAGE_BUCKET_NAME and the region.")
    if code in _NOT_FOUND:
        return ObjectNotFound(key)
    if code in _EXISTS:
        return ObjectExists(key)
    if code in _FULL:
        return StorageFull("The bucket is full: raise its quota, or free some space.")
    if status == 403:
        return StorageUnavailable(f"The bucket refused our credentials ({code}): check the AWS_* keys and its policy.")
    return StorageUnavailable(f"The bucket answered with an error ({code or status}).")


def _unreachable(error: Exception) -> StorageUnavailable:
    return StorageUnavailable(
        f"The bucket cannot be reached ({type(error).__name__}): check AWS_S3_ENDPOINT_URL and the network."
    )
