"""Backups below a prefix of an S3 bucket, best one of another account.

# Note [A lock that ends by itself]
S3 has no lock that the death of its holder lets go, so ours is a small object with the time it ends. It is made on the
condition that there is none, taken over when its time has passed on the condition that it is still the one that was
read, and renewed every minute by a thread while the work goes on. A killed run blocks the next for five minutes.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from core.backup.places import NotKept, PlaceBusy, PlaceUnavailable
from core.storage.s3_bytes import stored_bytes
from core.storage.s3_client import PrivateS3Storage

LOCK_LIFE = timedelta(minutes=5)
RENEWED_EVERY_S = 60

_ABSENT = {"404", "NoSuchKey", "NotFound"}
_REFUSED = {"PreconditionFailed", "412", "ConditionalRequestConflict"}


class S3Place:
    """Names are keys below `prefix` in `bucket`; `options` are those of `core.storage.options.s3_options`."""

    def __init__(self, bucket: str, prefix: str, *, scratch: Path, options: dict[str, object]):
        self.address = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._scratch = scratch
        own = options | {"bucket_name": bucket, "custom_domain": None, "cloudfront_key_id": None}
        storage = PrivateS3Storage(**own | {"cloudfront_key": None})
        # Not `storage.client`: that one never overwrites, and a verification is written again.
        self._client = storage.connection.meta.client
        self._transfer = storage.transfer_config

    def scratch(self) -> Path:
        """Return a local folder; files are uploaded from there."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch

    def put(self, source: Path, name: str) -> None:
        """Upload `source`: a key has all its bytes or does not exist."""
        with self._errors(name):
            self._client.upload_file(str(source), self._bucket, self._prefix + name, Config=self._transfer)
        source.unlink()

    def put_bytes(self, content: bytes, name: str) -> None:
        """Upload a small file."""
        self._put(content, name)

    def open(self, name: str) -> BinaryIO:
        """Return the object as it comes over the wire; raises NotKept."""
        return stored_bytes(self._get(name)["Body"], lambda: self._errors(name))

    def names(self, prefix: str) -> dict[str, int]:
        """List the bucket."""
        with self._errors(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            found = [item for page in pages for item in page.get("Contents", [])]
        return {item["Key"].removeprefix(self._prefix): item["Size"] for item in found}

    def delete(self, name: str) -> None:
        """Remove the object."""
        with self._errors(name):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock (see Note [A lock that ends by itself])."""
        lease = _Lease(self)
        lease.take(now=datetime.now(UTC))
        try:
            yield
        finally:
            lease.end()

    def _get(self, name: str) -> dict[str, Any]:
        with self._errors(name):
            return self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)

    def _put(self, content: bytes, name: str, **condition: str) -> str:
        """Upload a small file and return its ETag."""
        with self._errors(name):
            put = self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content, **condition)
        return put["ETag"]

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, Boto3Error, BotoCoreError) as error:
            answer = error if isinstance(error, ClientError) else error.__context__
            code = str(getattr(answer, "response", {}).get("Error", {}).get("Code", "")) or type(error).__name__
            if code in _ABSENT:
                raise NotKept(name) from error
            if code in _REFUSED:
                raise PlaceBusy(f"Another backup or pruning is at work in {self.address}: wait for it.") from error
            raise PlaceUnavailable(
                f"{self.address} cannot be used ({code}): check that the bucket exists, AWS_S3_ENDPOINT_URL, "
                "and that the AWS_* keys may list, read, write and delete there."
            ) from error


class _Lease:
    """The lock object of a place, as held by this process."""

    def __init__(self, place: S3Place):
        self._place = place
        self._done = threading.Event()
        self._etag = ""
        self._renewing = threading.Thread(target=self._renew, name="backup-lock", daemon=True)

    def take(self, *, now: datetime) -> None:
        """Make the lock, or take over one whose time has passed; raises PlaceBusy."""
        self._etag = self._place._put(_until(now), "lock", **self._condition(now))
        self._renewing.start()

    def end(self) -> None:
        """Stop renewing and remove the lock."""
        self._done.set()
        self._renewing.join()
        self._place.delete("lock")

    def _condition(self, now: datetime) -> dict[str, str]:
        try:
            held = self._place._get("lock")
        except NotKept:
            return {"IfNoneMatch": "*"}
        ends_at = json.loads(held["Body"].read())["ends_at"]
        if datetime.fromisoformat(ends_at) > now:
            raise PlaceBusy(
                f"Another backup or pruning is at work in {self._place.address}, or died: wait to {ends_at}."
            )
        return {"IfMatch": held["ETag"]}

    def _renew(self) -> None:
        while not self._done.wait(RENEWED_EVERY_S):
            self._etag = self._place._put(_until(datetime.now(UTC)), "lock", IfMatch=self._etag)


def _until(now: datetime) -> bytes:
    return json.dumps({"ends_at": (now + LOCK_LIFE).isoformat()}).encode()
