"""Uploads in parts and addresses signed for a while: the client then speaks to the bucket itself.

Files on disk are streamed through the server in one piece, so there the calls answer 501, and clients do just that; so
they do where no client reaches the bucket.
"""

from __future__ import annotations

import posixpath
from typing import Any, ClassVar

import msgspec
from botocore.exceptions import ClientError
from django.conf import settings

from apps.core.errors import InvalidInput, NotFound, NotImplementedByServer
from apps.core.mlflow.wire import Request
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.experiments.artifacts.s3 import S3Store

SIGNED_SECONDS = 60 * 60
MAX_PARTS = 10_000
_GONE = {"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"}


class Part(msgspec.Struct):
    """One part that arrived, as the client tells."""

    part_number: int
    etag: str = ""
    url: str | None = None


class CreateUpload(Request):
    required = ("path",)
    path: str = ""
    num_parts: int = 1


class AbortUpload(Request):
    required: ClassVar[tuple[str, ...]] = ("path", "upload_id")
    path: str = ""
    upload_id: str = ""


class CompleteUpload(AbortUpload):
    required = ("path", "upload_id", "parts")
    parts: list[Part] = []


def create_upload(folder: ArtifactFolder, path: ArtifactPath, num_parts: int) -> dict[str, Any]:
    """Begin an upload; one signed address for each part. Raises `NotImplementedByServer` on disk."""
    store = _bucket_of(folder, "Multipart upload is not supported for the current artifact repository")
    if not 1 <= num_parts <= MAX_PARTS:
        raise InvalidInput(f"num_parts: from 1 to {MAX_PARTS} is wanted.")
    folder.require_writable(path)
    key = folder.key(path)
    place = {"Bucket": store.bucket, "Key": store.key(key)}
    upload_id: str = store.client.create_multipart_upload(**place, **store.extra)["UploadId"]
    parts = [_credential(store, key, upload_id, number) for number in range(1, num_parts + 1)]
    return {"upload_id": upload_id, "credentials": parts}


def complete_upload(folder: ArtifactFolder, path: ArtifactPath, upload_id: str, parts: list[Part]) -> None:
    """Make the parts a file. Raises `NotFound` for an upload that isn't, or parts that did not arrive."""
    store = _bucket_of(folder, "Multipart upload is not supported for the current artifact repository")
    folder.require_writable(path)
    named = [{"PartNumber": part.part_number, "ETag": part.etag} for part in parts]
    try:
        store.client.complete_multipart_upload(
            Bucket=store.bucket, Key=store.key(folder.key(path)), UploadId=upload_id, MultipartUpload={"Parts": named}
        )
    except ClientError as error:
        raise _upload_error(error) from error


def abort_upload(folder: ArtifactFolder, path: ArtifactPath, upload_id: str) -> None:
    """Throw the parts away. Raises `NotFound` for an upload that isn't."""
    store = _bucket_of(folder, "Multipart upload is not supported for the current artifact repository")
    try:
        store.client.abort_multipart_upload(Bucket=store.bucket, Key=store.key(folder.key(path)), UploadId=upload_id)
    except ClientError as error:
        raise _upload_error(error) from error


def sign_download(folder: ArtifactFolder, path: ArtifactPath, seconds: int = SIGNED_SECONDS) -> dict[str, Any]:
    """`url`, `headers` and `file_size` of a file, for fetching it from the bucket."""
    store = _bucket_of(folder, "Multipart download is not supported for the current artifact repository")
    size = folder.file(path).size
    return {"url": store.sign("get_object", folder.key(path), seconds), "headers": {}, "file_size": size}


def sign_upload(folder: ArtifactFolder, path: ArtifactPath, seconds: int) -> dict[str, Any]:
    """`presigned_url` and `headers` for putting a new file into the bucket.

    Only where there is none: the address is good for days, and what lies there may be in production by then.
    """
    store = _bucket_of(folder, "Presigned upload is not supported for the current artifact repository")
    folder.require_writable(path)
    url = store.sign("put_object", folder.key(path), seconds, IfNoneMatch="*")
    return {"presigned_url": url, "headers": {"If-None-Match": "*"}}


def target_of(rest: ArtifactPath, local_file: str) -> ArtifactPath:
    """The file that an upload makes: the last part of the client's own path, in the folder of the address."""
    return rest.joined(ArtifactPath.parse(posixpath.basename(local_file.replace("\\", "/"))))


def _bucket_of(folder: ArtifactFolder, otherwise: str) -> S3Store:
    if not isinstance(folder.store, S3Store) or settings.S3_IS_PRIVATE:
        raise NotImplementedByServer(otherwise)
    return folder.store


def _credential(store: S3Store, key: ArtifactPath, upload_id: str, number: int) -> dict[str, Any]:
    url = store.sign("upload_part", key, SIGNED_SECONDS, UploadId=upload_id, PartNumber=number)
    return {"url": url, "part_number": number, "headers": {}}


def _upload_error(error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    return NotFound(f"This upload can't go on: {code}") if code in _GONE else error
