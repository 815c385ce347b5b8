"""How large a Parquet file becomes when it is read, before it is: some hundred bytes can name gigabytes.

Values are packed twice: pages are compressed, and equal values are counted or named by number. What the file says of
its own size is anybody's word. Readers go by the heads of pages, their sizes and numbers of values: so does this.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Iterator
from typing import Any

from .bodies import BadBody
from .calls import problem

TYPE = "application/vnd.apache.parquet"
#: Of a value in a column of a frame: a number, or where a text lies; in lists once more.
_VALUE = 8
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
#: Fields of a page's head, and of those within it.
_KIND, _SIZE, _PACKED = 1, 2, 3
_WITHIN = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
_COUNT = 1
#: Each text is told by what it has of the one before.
_BY_PREFIX = "DELTA_BYTE_ARRAY"
#: As who decompresses calls them, where that is not their name in small letters.
_CODECS = {"LZ4": "lz4_raw"}
_TEXTS_LOOKED_AT = 2_000_000
_DEEPEST = 8


def check_size(body: bytes, limit: int) -> None:
    """BadBody where it would take more than `limit` bytes. What is no Parquet is left to whoever reads it."""
    parquet: Any = importlib.import_module("pyarrow.parquet")
    arrow: Any = importlib.import_module("pyarrow")
    try:
        file = parquet.ParquetFile(arrow.BufferReader(body))
        about, schema = file.metadata, file.schema
    except Exception:  # noqa: BLE001
        return
    left = limit
    for group in range(about.num_row_groups):
        rows = about.row_group(group)
        for place in range(rows.num_columns):
            left -= _size_of(body, rows.column(place), schema.column(place), rows.num_rows, left)
            if left < 0:
                message = f"The rows take more than {limit} bytes when they are read, the limit of this server."
                raise BadBody(problem(413, "INVALID_PARAMETER_VALUE", message))


def _size_of(body: bytes, chunk: Any, column: Any, rows: int, most: int) -> int:
    """Bytes of a column of a group of rows; not counted on above `most`."""
    size = values = longest = 0
    for kind, unpacked, count, content in _pages(body, chunk):
        size += unpacked
        if size + values * _VALUE > most:
            return size + values * _VALUE
        if kind == _DICTIONARY:
            longest = _longest(content, unpacked, count, chunk)
        else:
            values += count
            if _BY_PREFIX in chunk.encodings:
                longest = max(longest, unpacked)
    width = _VALUE * (2 if column.max_repetition_level else 1) + longest
    return size + max(values, rows) * width


def _pages(body: bytes, chunk: Any) -> Iterator[tuple[int, int, int, bytes]]:
    """Of each page: its kind, bytes when unpacked, how many values it has, and what is in it."""
    at = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < (chunk.dictionary_page_offset or 0) < at:
        at = chunk.dictionary_page_offset
    end = min(at + chunk.total_compressed_size, len(body))
    try:
        while at < end:
            head, at = _struct(body, at, 0)
            kind, unpacked, packed = head[_KIND], head[_SIZE], head[_PACKED]
            count = head[_WITHIN[kind]][_COUNT] if kind in _WITHIN else 0
            if unpacked < 0 or packed < 0 or count < 0:
                raise ValueError("a negative size")
            yield kind, unpacked, count, body[at : at + packed]
            at += packed
    except (KeyError, IndexError, ValueError, TypeError) as error:
        message = f"The Parquet file can't be read: {error}"
        raise BadBody(problem(400, "BAD_REQUEST", message)) from error


def _longest(content: bytes, unpacked: int, count: int, chunk: Any) -> int:
    """The longest text of a dictionary; of numbers, which are counted anyway, 0."""
    if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY":
        return unpacked // max(count, 1)
    if chunk.physical_type != "BYTE_ARRAY":
        return 0
    if count > _TEXTS_LOOKED_AT:
        return unpacked
    arrow: Any = importlib.import_module("pyarrow")
    try:
        if chunk.compression != "UNCOMPRESSED":
            codec = _CODECS.get(chunk.compression, chunk.compression.lower())
            content = arrow.decompress(content, unpacked, codec=codec, asbytes=True)
        at = found = 0
        for _ in range(count):
            (length,) = struct.unpack_from("<I", content, at)
            at, found = at + 4 + length, max(found, length)
        return found
    except Exception:  # noqa: BLE001
        # Each is a part of it.
        return unpacked


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """A structure in Thrift's compact protocol, by the numbers of its fields, and where it ends."""
    if depth > _DEEPEST:
        raise ValueError("too deep a head")
    found: dict[int, Any] = {}
    field = 0
    while True:
        byte = data[at]
        at += 1
        if not byte:
            return found, at
        if byte >> 4:
            field += byte >> 4
        else:
            field, at = _number(data, at)
        found[field], at = _value(data, at, byte & 15, depth)


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):
        return kind == 1, at
    if kind == 3:
        return data[at], at + 1
    if kind in (4, 5, 6):
        return _number(data, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        length, at = _varint(data, at)
        return None, at + length
    if kind == 12:
        return _struct(data, at, depth + 1)
    raise ValueError("a head of an unknown kind")


def _number(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("too long a number")
