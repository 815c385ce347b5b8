"""The log of a run: kept in pieces while it goes on, then as a file of its tracking run."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from apps.core.errors import Conflict, DomainError
from apps.experiments import live as run_live
from apps.experiments.artifacts.folders import ArtifactFolder, folder_of_run
from apps.projects import live
from apps.projects.actions.common import Fenced
from apps.projects.models import HELD, LogChunk, ProjectRun
from apps.projects.selectors.logs import LOG_PATH, MAX_CHUNK_BYTES, chunks_of

logger = logging.getLogger(__name__)

STORED_AT_ONCE = 20
# Who sweeps has more to do.
STORE_SECONDS = 5.0


def append_log(*, run_id: int, fence: int, start: int, data: bytes, lines: int, tail: str, is_cut: bool) -> None:
    """Keep whole lines from byte `start` on, and the line that is being written. The same again changes nothing.

    Raises `Fenced` where the run is somebody else's by now or has ended.
    """
    if len(data) > MAX_CHUNK_BYTES:
        raise ValueError(f"a piece of {len(data)} bytes")
    mine = ProjectRun.objects.filter(pk=run_id, fence=fence, state__in=HELD)
    end = start + len(data)
    with transaction.atomic():
        found = mine.select_for_update(no_key=True).values_list("log_bytes", "log_lines").first()
        if found is None:
            raise Fenced(f"The project run {run_id} is not this worker's any more, or has ended.")
        kept, kept_lines = found
        if kept not in (start, end):
            raise ValueError(f"the log ends at {kept}, and a piece begins at {start}")
        if kept == start:
            counted = {"log_bytes": end, "log_lines": kept_lines + lines}
            mine.update(**counted, tail=tail[:500], log_cut=is_cut)
            if data:
                LogChunk.objects.create(project_run_id=run_id, start=start, data=data)
        transaction.on_commit(partial(live.touch, run_id, "log"))


def store_logs() -> int:
    """Make files of the logs of some runs that have ended; how many. What isn't done now is done with the next."""
    due = ProjectRun.objects.filter(log_stored=False, log_bytes__gt=0, run__isnull=False, ended_ms__isnull=False)
    # In no order: those that can't be stored must not keep the others from it.
    runs = due.select_related("run__experiment").order_by("?")[:STORED_AT_ONCE]
    until = time.monotonic() + STORE_SECONDS
    return sum(_stored(run) for run in runs if time.monotonic() < until)


def store_log(*, run: ProjectRun) -> bool:
    """Make a file, `logs/output.log` of the tracking run, of the log of a run that has ended; whether it is one now.

    Without a tracking run the pieces stay. It may be called again whatever became of the last call: the pieces go
    when the file is there. Raises `Conflict` where a version in use is made of the tracking run's whole folder.
    """
    if run.is_active or run.log_stored or run.run is None or not run.log_bytes:
        return run.log_stored
    folder = folder_of_run(run.run)
    with _spooled(run) as file:
        if file is None:
            # Somebody else was faster: else the pieces would be there.
            return False
        try:
            folder.write(LOG_PATH, file, run.log_bytes)
        except Conflict:
            if not _is_there(folder, run):
                raise
    _mark(run)
    return True


@contextmanager
def _spooled(run: ProjectRun) -> Iterator[BinaryIO | None]:
    """The whole log as a file, None where pieces of it are gone. A bucket's client reads in threads, and twice."""
    settings.DATA.uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryFile(dir=settings.DATA.uploads) as file:
        for piece in chunks_of(run.pk, 0):
            file.write(piece)
        is_whole = file.tell() == run.log_bytes
        file.seek(0)
        yield file if is_whole else None


def _mark(run: ProjectRun) -> None:
    with transaction.atomic():
        if ProjectRun.objects.filter(pk=run.pk, log_stored=False).update(log_stored=True, tail=""):
            LogChunk.objects.filter(project_run=run).delete()
            transaction.on_commit(partial(live.touch, run.pk, "log"))
            if run.run is not None:
                transaction.on_commit(partial(run_live.touch, run.run.run_id, "artifacts"))
    run.log_stored = True


def _stored(run: ProjectRun) -> bool:
    try:
        return store_log(run=run)
    except (DomainError, OSError) as error:
        logger.warning("the log of %s stays in the database: %s", run, error)
        return False


def _is_there(folder: ArtifactFolder, run: ProjectRun) -> bool:
    """Whether the file holds the log already: who stored it was killed before the pieces went."""
    found = folder.stat(LOG_PATH)
    if found is None or found.is_dir or found.size != run.log_bytes:
        return False
    return _are_equal(folder.open(LOG_PATH), chunks_of(run.pk, 0))


def _are_equal(ours: Iterable[bytes], theirs: Iterable[bytes]) -> bool:
    """Whether two streams hold the same, however each is cut."""
    left = b""
    others = iter(theirs)
    for piece in ours:
        while len(left) < len(piece):
            more = next(others, b"")
            if not more:
                return False
            left += more
        if not left.startswith(piece):
            return False
        left = left[len(piece) :]
    return not left and not next(others, b"")
