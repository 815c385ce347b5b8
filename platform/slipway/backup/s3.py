"""Buckets: archives that lie in one, and stores that are one. The credentials are those of the server's own store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from slipway import env
from slipway.backup.failures import Refused
from slipway.backup.stores import Found, Opened, is_canonical

_MIB = 1024 * 1024
# S3 takes 10,000 parts of an object: they grow, so that some 3 TB fit without the first being held in memory for long.
_PART, _GROWS_AFTER = 16 * _MIB, 500
_AT_ONCE = 2
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_READ_AHEAD = 8 * _MIB
_PIECE = _MIB


def split(address: str) -> tuple[str, str]:
    """Bucket and key. Raises `Refused` for what names no object."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not bucket or not key.strip("/") or key.endswith("/"):
        raise Refused(f"{address} is not of the form s3://bucket/name.")
    return bucket, key


def client(endpoint: str | None = None) -> Any:
    """boto3's, for archives: `endpoint` may be another than that of the server's store."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint or env.public_url("SLIPWAY_S3_ENDPOINT_URL") or None,
        config=Config(signature_version="s3v4", retries={"mode": "standard", "max_attempts": 5}),
    )


class ObjectSink:
    """An object, sent in parts. It is there when all of them are."""

    def __init__(self, s3: Any, address: str, extra: dict[str, Any]) -> None:
        self._s3 = s3
        self._bucket, self._key = split(address)
        if _size_of(s3, self._bucket, self._key) is not None:
            raise Refused(f"{address} is there already: choose another name.")
        begun = s3.create_multipart_upload(Bucket=self._bucket, Key=self._key, **extra)
        self._upload = {"Bucket": self._bucket, "Key": self._key, "UploadId": begun["UploadId"]}
        self._threads = ThreadPoolExecutor(_AT_ONCE, "backup")
        self._sent: list[Future[str]] = []
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= self._wanted:
            self._send(self._wanted)

    def finish(self) -> None:
        if self._waiting or not self._sent:
            self._send(len(self._waiting))
        parts = [{"PartNumber": number, "ETag": sent.result()} for number, sent in enumerate(self._sent, 1)]
        self._threads.shutdown()
        self._s3.complete_multipart_upload(**self._upload, MultipartUpload={"Parts": parts})

    def abandon(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        try:
            self._s3.abort_multipart_upload(**self._upload)
        except ClientError:
            # What made us give up is what has to be told.
            pass

    @property
    def _wanted(self) -> int:
        return _PART * (1 + len(self._sent) // _GROWS_AFTER)

    def _send(self, size: int) -> None:
        if len(self._sent) >= _AT_ONCE:
            # Memory holds a few parts, however slow the way is.
            self._sent[-_AT_ONCE].result()
        part = bytes(self._waiting[:size])
        del self._waiting[:size]
        self._sent.append(self._threads.submit(self._put, len(self._sent) + 1, part))

    def _put(self, number: int, part: bytes) -> str:
        return str(self._s3.upload_part(**self._upload, PartNumber=number, Body=part)["ETag"])


class ObjectMedium:
    """An object, read some megabytes at a time."""

    def __init__(self, s3: Any, address: str) -> None:
        self._s3 = s3
        self._bucket, self._key = split(address)
        size = _size_of(s3, self._bucket, self._key)
        if size is None:
            raise Refused(f"{address} is not there.")
        self.name, self.size = self._key.rpartition("/")[2], size
        self._begin, self._known = 0, b""

    def read_at(self, offset: int, size: int) -> bytes:
        end = min(offset + size, self.size)
        if offset >= end:
            return b""
        if not self._begin <= offset < self._begin + len(self._known):
            last = min(offset + max(size, _READ_AHEAD), self.size) - 1
            found = self._s3.get_object(Bucket=self._bucket, Key=self._key, Range=f"bytes={offset}-{last}")
            self._begin, self._known = offset, found["Body"].read()
        piece = self._known[offset - self._begin : end - self._begin]
        missing = end - offset - len(piece)
        return piece + self.read_at(end - missing, missing) if missing else piece


class BucketFiles:
    """A folder of a bucket."""

    # As many connections as boto3 keeps.
    at_once = 10

    def __init__(self, s3: Any, bucket: str, prefix: str, extra: dict[str, Any]) -> None:
        self.name = f"s3://{bucket}/{prefix}".rstrip("/")
        self._s3, self._bucket, self._extra = s3, bucket, extra
        self._folder = f"{prefix}/" if prefix else ""

    def walk(self) -> Iterator[Found]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._folder)
        for page in pages:
            for item in page.get("Contents", ()):
                path = item["Key"][len(self._folder) :]
                if is_canonical(path):
                    yield _found(path, item["Size"], item)

    def open(self, path: str) -> Opened | None:
        try:
            item = self._s3.get_object(Bucket=self._bucket, Key=f"{self._folder}{path}")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                return None
            raise
        return Opened(_found(path, item["ContentLength"], item), _pieces(item["Body"]))

    def write(self, path: str, pieces: Iterable[bytes], found: Found) -> None:
        key = f"{self._folder}{path}"
        if found.size <= _PART:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=b"".join(pieces), **self._extra)
            return
        sink = ObjectSink(self._s3, f"s3://{self._bucket}/{key}", self._extra)
        try:
            for piece in pieces:
                sink.write(piece)
            sink.finish()
        except BaseException:
            sink.abandon()
            raise

    def remove(self, path: str) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=f"{self._folder}{path}")

    def settle(self) -> None:
        """S3 answers when it has a file for good."""


def _found(path: str, size: int, item: dict[str, Any]) -> Found:
    modified = int(item["LastModified"].timestamp() * 1000)
    return Found(path, size, str(item.get("ETag", "")).strip('"'), modified)


def _pieces(body: Any) -> Iterator[bytes]:
    try:
        yield from body.iter_chunks(_PIECE)
    finally:
        body.close()


def _size_of(s3: Any, bucket: str, key: str) -> int | None:
    try:
        return int(s3.head_object(Bucket=bucket, Key=key)["ContentLength"])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            return None
        raise
