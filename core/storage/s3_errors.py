"""What the vendor's library raises, as errors of ours, with sentences that say what to look at."""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from core.storage.base import ObjectExists, ObjectNotFound, StorageFull, StorageUnavailable

_NOT_FOUND = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}
_EXISTS = {"PreconditionFailed", "412"}
_FULL = {"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}


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
