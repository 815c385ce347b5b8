"""The archive: a tar in frames of zstd, so that `tar --zstd -tf` lists one that isn't encrypted.

A frame begins anew after each few megabytes, so that one file can be read without all before it. At the begin lies the
head and at the end where the manifest is, in frames that zstd skips.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import tarfile
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec
import zstandard

from slipway.backup.encryption import Keys, LockedMedium, LockedSink, keys_of
from slipway.backup.failures import Damaged, Refused
from slipway.backup.manifest import FORMAT, Content, Head, Manifest, Spot
from slipway.backup.media import Medium, Sink

PIECE = 1024 * 1024
_FRAME = 4 * PIECE
_LEVEL, _THREADS = 1, 2
_HEAD, _FOOT = 0x184D2A5D, 0x184D2A5E
_SKIPPED = struct.Struct("<II")
_END = struct.Struct(">8sQQ32s")
_MARK = b"SLIPWAY\x01"
_MOST_HEAD = 64 * 1024
_MOST_MANIFEST = 4 * 1024**3
_READ = 4 * PIECE


class Writer:
    """Writes one archive to a sink."""

    def __init__(self, sink: Sink, keys: Keys | None) -> None:
        self.id = secrets.token_hex(16)
        head = Head(FORMAT, self.id, keys.lock if keys else None)
        first = _skipped(_HEAD, msgspec.json.encode(head))
        sink.write(first)
        self._sink: Sink = LockedSink(sink, keys, first) if keys else sink
        self._offset = 0
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, threads=_THREADS, write_checksum=True)
        self._frame = self._compressor.compressobj()
        self._begin, self._inside = 0, 0

    def add(self, name: str, size: int, pieces: Iterable[bytes]) -> Content:
        """A file of the tar. Raises `Damaged` where `pieces` are not `size` bytes."""
        if self._inside >= _FRAME:
            self._end_frame()
        self._put(_tar_header(name, size))
        spot, digest, seen = Spot(0, self._begin, self._inside), hashlib.sha256(), 0
        for piece in pieces:
            digest.update(piece)
            self._put(piece)
            seen += len(piece)
        if seen != size:
            raise Damaged(f"{name} has {seen} bytes, and {size} were announced: somebody wrote into it meanwhile.")
        self._put(b"\0" * (-size % tarfile.BLOCKSIZE))
        return Content(size, digest.hexdigest(), spot)

    def close(self, manifest: Manifest) -> None:
        """The manifest, and where it is; then it is whole."""
        self._end_frame()
        text = msgspec.json.encode(manifest)
        begin = self._begin
        self._put(_tar_header("manifest.json", len(text)) + text)
        self._put(b"\0" * (-len(text) % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE))
        self._end_frame()
        end = _END.pack(_MARK, begin, self._offset - begin, hashlib.sha256(text).digest())
        self._write(_skipped(_FOOT, end))
        self._sink.finish()

    def _put(self, data: bytes) -> None:
        self._inside += len(data)
        self._write(self._frame.compress(data))

    def _end_frame(self) -> None:
        self._write(self._frame.flush())
        self._frame = self._compressor.compressobj()
        self._begin, self._inside = self._offset, 0

    def _write(self, data: bytes) -> None:
        if data:
            self._sink.write(data)
            self._offset += len(data)


class Readable(Protocol):
    """What `zstandard` reads from, and what we read what it gives from."""

    def read(self, size: int = ..., /) -> bytes: ...


class Reader:
    """An archive that is there. Raises `Refused` for what is none of ours, `Damaged` for one that isn't whole."""

    def __init__(self, medium: Medium, passphrase: bytes | None) -> None:
        self.name = medium.name
        self.head, first = _read_head(medium)
        self._body: Medium
        if self.head.lock is None:
            self._body = _Behind(medium, len(first))
        elif passphrase is None:
            raise Refused(f"{self.name} is encrypted: name the file of its passphrase with --passphrase-file.")
        else:
            self._body = LockedMedium(medium, len(first), keys_of(self.head.lock, passphrase), first)
        self.manifest = self._read_manifest()

    def contents(self, wanted: Iterable[Content]) -> Iterator[tuple[Content, Iterator[bytes]]]:
        """Each of `wanted`, which are in the order in which they lie here, with its bytes, to be read before the next.

        The bytes end with `Damaged` where they aren't those that were saved.
        """
        begin, frame, at = -1, _nothing, 0
        for content in wanted:
            spot = content.spot
            if spot.frame != begin:
                begin, frame, at = spot.frame, self._frame(spot.frame), 0
            self._skip(frame, spot.at - at)
            yield content, self._checked(frame, content)
            at = spot.at + content.size

    def _read_manifest(self) -> Manifest:
        size = _SKIPPED.size + _END.size
        found = self._body.read_at(max(0, self._body.size - size), size)
        if len(found) != size or _SKIPPED.unpack_from(found) != (_FOOT, _END.size):
            raise Damaged(f"{self.name} is cut off: its end is missing.")
        mark, begin, _, digest = _END.unpack_from(found, _SKIPPED.size)
        if mark != _MARK:
            raise Damaged(f"{self.name} is damaged: its end is not one of ours.")
        frame = self._frame(begin)
        header = self._read(frame, tarfile.BLOCKSIZE)
        try:
            length = tarfile.TarInfo.frombuf(header, "utf-8", "strict").size
        except tarfile.TarError as error:
            raise Damaged(f"{self.name} is damaged: its manifest can't be read.") from error
        text = self._read(frame, min(length, _MOST_MANIFEST))
        if hashlib.sha256(text).digest() != digest:
            raise Damaged(f"{self.name} is damaged: its manifest is not the one that was written.")
        return msgspec.json.decode(text, type=Manifest)

    def _frame(self, offset: int) -> Readable:
        # It asks for `read` alone, whatever its types say.
        inner: Any = _Stream(self._body, offset)
        stream: Readable = zstandard.ZstdDecompressor().stream_reader(inner, read_size=_READ, read_across_frames=False)
        return stream

    def _checked(self, frame: Readable, content: Content) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), content.size
        while left:
            piece = self._read(frame, min(left, PIECE))
            digest.update(piece)
            left -= len(piece)
            yield piece
        if digest.hexdigest() != content.sha256:
            raise Damaged(f"{self.name} is damaged: what lies at {content.spot.frame} is not what was saved.")

    def _skip(self, frame: Readable, size: int) -> None:
        while size > 0:
            size -= len(self._read(frame, min(size, PIECE)))

    def _read(self, frame: Readable, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            try:
                piece = frame.read(size - len(found))
            except zstandard.ZstdError as error:
                raise Damaged(f"{self.name} is damaged and can't be unpacked.") from error
            if not piece:
                raise Damaged(f"{self.name} is damaged: it ends before what it says it holds.")
            found += piece
        return bytes(found)


class _Behind:
    """What lies behind the head."""

    def __init__(self, inner: Medium, begin: int) -> None:
        self.name, self.size = inner.name, inner.size - begin
        self._inner, self._begin = inner, begin

    def read_at(self, offset: int, size: int) -> bytes:
        return self._inner.read_at(self._begin + offset, size)


class _Stream:
    """A medium from one place on."""

    def __init__(self, inner: Medium, offset: int) -> None:
        self._inner, self._offset = inner, offset

    def read(self, size: int = _READ, /) -> bytes:
        piece = self._inner.read_at(self._offset, size)
        self._offset += len(piece)
        return piece


class _Nothing:
    def read(self, size: int = 0, /) -> bytes:
        return b""


_nothing: Readable = _Nothing()


def _read_head(medium: Medium) -> tuple[Head, bytes]:
    first = medium.read_at(0, _SKIPPED.size)
    magic, size = _SKIPPED.unpack(first) if len(first) == _SKIPPED.size else (0, 0)
    if magic != _HEAD or size > _MOST_HEAD:
        raise Refused(f"{medium.name} is no backup of Slipway.")
    text = medium.read_at(_SKIPPED.size, size)
    try:
        head = msgspec.json.decode(text, type=Head)
    except msgspec.DecodeError as error:
        raise Damaged(f"{medium.name} is damaged: its head can't be read.") from error
    if head.format > FORMAT:
        raise Refused(f"{medium.name} was written by a newer Slipway: install that release, or a later one, first.")
    return head, first + text


def _skipped(magic: int, content: bytes) -> bytes:
    return _SKIPPED.pack(magic, len(content)) + content


def _tar_header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.PAX_FORMAT)
