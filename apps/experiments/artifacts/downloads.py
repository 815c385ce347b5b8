"""A file as an answer: streamed, in ranges, and never as something a browser runs with our origin."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import PurePosixPath

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from apps.core.errors import RangeNotSatisfiable
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.experiments.artifacts.store import CHUNK, Entry

POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

_TEXT = frozenset(
    (
        *("txt", "log", "err", "cfg", "conf", "cnf", "cf", "ini", "properties", "prop", "hocon", "toml", "yaml", "yml"),
        *("json", "py", "py3", "csv", "tsv", "md", "rst", "ipynb", "MLmodel", "mlproject"),
    )
)
# Types that a browser could run, were it to ignore all we say about them.
_ACTIVE = re.compile(r"html|xml|svg|script|pdf|flash|wasm")
_RANGE = re.compile(r"bytes\s*=\s*(?P<first>\d{0,18})\s*-\s*(?P<last>\d{0,18})", re.ASCII)

Span = tuple[int, int]


def send_file(request: HttpRequest, folder: ArtifactFolder, path: ArtifactPath) -> HttpResponseBase:
    """The file, or the range asked of it, as an attachment. Raises `NotFound`, `InvalidInput` for a folder."""
    entry = folder.file(path)
    tag, modified = f'"{entry.tag}"', entry.modified_ms // 1000
    unchanged = get_conditional_response(request, etag=tag, last_modified=modified)
    if unchanged is not None and unchanged.status_code in (304, 412):
        return _with_headers(unchanged, entry, tag)
    span = _wanted_span(request, entry, tag)
    start, end = span or (0, entry.size)
    response = _with_headers(_body(request, folder, path, start, end), entry, tag)
    response["Content-Length"] = str(end - start)
    response["Content-Type"] = media_type(path.name)
    response["Content-Disposition"] = attachment(path.name)
    if span:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end - 1}/{entry.size}"
    return response


def attachment(name: str) -> str:
    """The header that has a browser save a file under `name`, less the characters that turn writing around."""
    plain = "".join(character for character in name if unicodedata.category(character) not in ("Cc", "Cf"))
    return content_disposition_header(True, plain or "file") or "attachment"


def media_type(name: str) -> str:
    """By the name, as the protocol's server; what a browser might run is plain bytes."""
    suffix = PurePosixPath(name).suffix.removeprefix(".") or name
    if suffix in _TEXT:
        return "text/plain; charset=utf-8"
    guessed = mimetypes.guess_type(name)[0] or ""
    return "application/octet-stream" if not guessed or _ACTIVE.search(guessed) else guessed


def parse_range(header: str, size: int) -> Span | None:
    """`(start, end)` of a header with one range; None for what is no such range, which is answered with the whole.

    Raises `RangeNotSatisfiable` for one that lies outside of the file.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match["first"] or match["last"]):
        return None
    if match["first"]:
        start, last = int(match["first"]), int(match["last"] or size)
        if match["last"] and last < start:
            return None
        end = min(last + 1, size)
    else:
        start, end = max(0, size - int(match["last"])), size
    if start >= end:
        raise RangeNotSatisfiable("The range lies outside of the file.", headers={"Content-Range": f"bytes */{size}"})
    return start, end


def _wanted_span(request: HttpRequest, entry: Entry, tag: str) -> Span | None:
    header = request.headers.get("Range", "")
    condition = request.headers.get("If-Range")
    if not header or (condition and condition not in (tag, _http_date(entry))):
        return None
    return parse_range(header, entry.size)


def _body(request: HttpRequest, folder: ArtifactFolder, path: ArtifactPath, start: int, end: int) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse()
    chunks = folder.open(path, start, end)
    # What is small goes back in one piece, which costs less than a stream.
    return HttpResponse(b"".join(chunks)) if end - start <= CHUNK else StreamingHttpResponse(chunks)


def _with_headers(response: HttpResponseBase, entry: Entry, tag: str) -> HttpResponseBase:
    response["ETag"] = tag
    response["Last-Modified"] = _http_date(entry)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _http_date(entry: Entry) -> str:
    return format_datetime(datetime.fromtimestamp(entry.modified_ms // 1000, UTC), usegmt=True)
