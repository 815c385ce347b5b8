"""Reading logs: from the database while a run goes on, from the file of its tracking run after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models.functions import Coalesce

from apps.core.errors import NotFound
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import folder_of_run
from apps.projects.models import LogChunk, ProjectRun

LOG_PATH = ArtifactPath.parse("logs/output.log")
# A chunk is no larger: pieces of output, each with a long line more.
MAX_CHUNK_BYTES = 1024 * 1024
READ_BYTES = 256 * 1024
_STREAM_BYTES = 1024 * 1024
_CHUNKS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class LogPart:
    """A part of a log: `data` from byte `start` up to `next_offset`.

    `has_ended`: the run has, and nothing comes after. `tail` is the line that is being written.
    """

    start: int
    data: bytes
    next_offset: int
    has_ended: bool
    tail: str

    @property
    def text(self) -> str:
        """The part as text."""
        return self.data.decode(errors="replace")


def read_log(run: ProjectRun, offset: int = 0, limit: int = READ_BYTES) -> LogPart:
    """At most `limit` bytes from `offset` on, whole lines where there are any. The same number of statements always.

    The run was fetched with its tracking run and experiment. A file that somebody deleted is an empty log.
    """
    offset = max(0, offset)
    data = _file(run, offset, limit) if run.log_stored else _chunks(run, offset, limit)
    if not data and not run.log_stored and offset < run.log_bytes:
        # It became a file in between.
        run.refresh_from_db(fields=["state", "log_bytes", "log_stored", "tail"])
        data = _file(run, offset, limit)
    next_offset = offset + len(data)
    has_all = next_offset >= run.log_bytes or (run.log_stored and not data)
    return LogPart(offset, data, next_offset, not run.is_active and has_all, run.tail if run.is_held else "")


def read_log_before(run: ProjectRun, end: int, limit: int = READ_BYTES) -> LogPart:
    """At most `limit` bytes that come before byte `end`, from where a line begins."""
    end = max(0, min(end, run.log_bytes))
    start = max(0, end - limit)
    data = read_log(run, start, end - start).data[: end - start] if end else b""
    if start:
        cut = data.find(b"\n") + 1
        start, data = start + cut, data[cut:]
    return LogPart(start, data, start + len(data), False, "")


def stream_log(run: ProjectRun, offset: int = 0) -> Iterator[bytes]:
    """What there is of the log now from `offset` on, in parts; memory does not grow with it."""
    end = run.log_bytes
    while offset < end and (data := read_log(run, offset, min(_STREAM_BYTES, end - offset)).data):
        yield data
        offset += len(data)


def chunks_of(run_id: int, start: int) -> Iterator[bytes]:
    """The pieces of a log in the database from the one that begins at `start`, for as long as each follows the last."""
    while True:
        found = LogChunk.objects.filter(project_run_id=run_id, start__gte=start, start__lt=start + READ_BYTES)
        pieces = list(found.order_by("start").values_list("start", "data")[:_CHUNKS_AT_ONCE])
        for place, data in pieces:
            if place != start:
                return
            yield bytes(data)
            start += len(data)
        if not pieces:
            return


def _chunks(run: ProjectRun, offset: int, limit: int) -> bytes:
    mine = LogChunk.objects.filter(project_run=run)
    first = mine.filter(start__lte=offset).order_by("-start").values("start")[:1]
    found = mine.filter(start__gte=Coalesce(first, 0), start__lt=offset + limit).order_by("start")
    rows = [(start, bytes(data)) for start, data in found.values_list("start", "data")]
    if not rows or rows[0][0] > offset:
        return b""
    data = b"".join(piece for _, piece in rows)[offset - rows[0][0] :]
    return data if len(data) <= limit else _whole_lines(data[:limit])


def _file(run: ProjectRun, offset: int, limit: int) -> bytes:
    if run.run is None:
        return b""
    folder = folder_of_run(run.run)
    try:
        size = folder.file(LOG_PATH).size
        data = b"".join(folder.open(LOG_PATH, offset, min(offset + limit, size))) if offset < size else b""
    except NotFound:
        return b""
    return data if offset + len(data) >= size else _whole_lines(data)


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1] or data
