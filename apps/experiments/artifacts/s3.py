"""Files in a bucket, through the client that django-storages sets up (credentials, region, endpoint, encryption)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files.storage import storages
from storages.backends.s3 import S3Storage

from apps.core.errors import NotFound
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.store import CHUNK, Entry, Source

_MIB = 1024 * 1024
_MOST_PARTS = 9_000
_DELETED_AT_ONCE = 1_000
_ABSENT = {"404", "NoSuchKey", "NotFound"}


class S3Store:
    """A folder of a bucket. Another bucket than the server's own is reached with the same credentials."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket, self.prefix = bucket, prefix
        own = storages["artifacts"] if settings.ARTIFACT_BUCKET else None
        self._storage = own if isinstance(own, S3Storage) else S3Storage(bucket_name=bucket, signature_version="s3v4")

    @property
    def client(self) -> Any:
        """boto3's client, one for each thread."""
        return self._storage.connection.meta.client

    @property
    def extra(self) -> dict[str, Any]:
        """What each object is written with: encryption, where the operator set it."""
        return dict(self._storage.get_object_parameters(""))

    def key(self, path: ArtifactPath) -> str:
        """The name of the object."""
        return "/".join(part for part in (self.prefix, str(path)) if part)

    def list(self, folder: ArtifactPath) -> Sequence[Entry]:
        """Names that are no canonical path, which others may have put there, are left out."""
        prefix = self._folder(folder)
        entries = []
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        for page in pages:
            entries += [Entry(found["Prefix"][len(prefix) : -1], True) for found in page.get("CommonPrefixes", ())]
            entries += [_entry(found["Key"][len(prefix) :], found, "Size") for found in page.get("Contents", ())]
        return sorted((entry for entry in entries if entry.path), key=lambda entry: entry.path)

    def stat(self, path: ArtifactPath) -> Entry | None:
        try:
            return _entry(str(path), self.client.head_object(Bucket=self.bucket, Key=self.key(path)), "ContentLength")
        except ClientError as error:
            _raise_unless_absent(error)
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self._folder(path), MaxKeys=1)
        return Entry(str(path), True) if found.get("KeyCount") else None

    def read(self, path: ArtifactPath, start: int, end: int) -> Iterator[bytes]:
        if end <= start:
            return iter(())
        try:
            found = self.client.get_object(Bucket=self.bucket, Key=self.key(path), Range=f"bytes={start}-{end - 1}")
        except ClientError as error:
            _raise_unless_absent(error)
            raise NotFound(f"No such artifact: '{path}'") from error
        return _pieces(found["Body"])

    def write(self, path: ArtifactPath, source: Source, length: int | None) -> None:
        """In parts, a few at a time: memory does not grow with the file, and an object appears when all are there."""
        from boto3.s3.transfer import TransferConfig

        part = max(8 * _MIB, (length or 0) // _MOST_PARTS + 1)
        config = TransferConfig(multipart_threshold=part, multipart_chunksize=part, max_concurrency=4)
        self.client.upload_fileobj(source, self.bucket, self.key(path), ExtraArgs=self.extra or None, Config=config)

    def delete(self, path: ArtifactPath) -> bool:
        keys = [] if not path.segments else [self.key(path)]
        there = bool(keys) and self.stat(path) is not None
        for found in self._objects(path):
            keys.append(found["Key"])
            if len(keys) == _DELETED_AT_ONCE - 1:
                self._delete(keys)
                keys = []
        if path.segments:
            # Some servers keep an empty folder as an object of its own.
            keys.append(self._folder(path))
        if keys:
            self._delete(keys)
        return there

    def usage(self, folder: ArtifactPath) -> tuple[int, int]:
        count = size = 0
        for found in self._objects(folder):
            count, size = count + 1, size + found["Size"]
        return count, size

    def sign(self, operation: str, path: ArtifactPath, seconds: int, **more: Any) -> str:
        """A URL that lets its holder do one `operation` of S3 on one object for a while."""
        parameters = {"Bucket": self.bucket, "Key": self.key(path), **more}
        client = self._storage_for_clients.connection.meta.client
        url: str = client.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)
        return url

    @cached_property
    def _storage_for_clients(self) -> S3Storage:
        """The same by the address that clients know; signatures hold for one host."""
        if not settings.S3_PUBLIC_URL:
            return self._storage
        said: Any = settings.STORAGES["artifacts"]
        return S3Storage(**said["OPTIONS"] | {"endpoint_url": settings.S3_PUBLIC_URL})

    def _folder(self, path: ArtifactPath) -> str:
        key = self.key(path)
        return f"{key}/" if key else ""

    def _objects(self, folder: ArtifactPath) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._folder(folder))
        for page in pages:
            yield from page.get("Contents", ())

    def _delete(self, keys: Sequence[str]) -> None:
        objects = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = self.client.delete_objects(Bucket=self.bucket, Delete=objects)
        if failed := answer.get("Errors"):
            raise OSError(f"S3 kept {len(failed)} objects: {failed[0].get('Code')}")


def _entry(path: str, found: dict[str, Any], size: str) -> Entry:
    modified = int(found["LastModified"].timestamp() * 1000)
    return Entry(path, False, found[size], modified, found.get("ETag", "").strip('"'))


def _pieces(body: Any) -> Iterator[bytes]:
    try:
        yield from body.iter_chunks(CHUNK)
    finally:
        body.close()


def _raise_unless_absent(error: ClientError) -> None:
    if error.response.get("Error", {}).get("Code") not in _ABSENT:
        raise error
