"""Logs in the database and as files, whatever becomes of who writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.errors import Conflict
from apps.experiments import holds
from apps.experiments.artifacts.folders import ArtifactFolder, folder_of_run
from apps.experiments.artifacts.store import own_store
from apps.experiments.holds import Hold, Things
from apps.projects import actions, live
from apps.projects.actions import Fenced
from apps.projects.models import LogChunk, ProjectRun, RunState
from apps.projects.selectors.logs import LOG_PATH, MAX_CHUNK_BYTES, chunks_of, read_log, stream_log
from slipway.paths import DataFolder
from tests.experiments.artifacts.conftest import data_folder
from tests.personas import People
from tests.projects.logs.made import STAMP, append, end, fetched, make_project_run

__all__ = ["data_folder"]


@pytest.fixture(autouse=True)
def folder(data_folder: DataFolder) -> DataFolder:
    """Files go where only this test looks."""
    return data_folder


@pytest.fixture
def run(people: People) -> ProjectRun:
    return make_project_run(people.ada)


def give(run: ProjectRun, start: int, data: bytes, **other: Any) -> None:
    what = {"fence": run.fence, "lines": data.count(b"\n"), "tail": "", "is_cut": False, **other}
    actions.append_log(run_id=run.pk, start=start, data=data, **what)


def files_of(run: ProjectRun) -> ArtifactFolder:
    assert run.run is not None
    return folder_of_run(run.run)


def whole_log(run: ProjectRun) -> bytes:
    return b"".join(stream_log(fetched(run)))


def test_pieces_are_counted_and_in_order(run: ProjectRun) -> None:
    give(run, 0, b"one\ntwo\n", tail="10%")
    give(run, 8, b"three\n", tail="x" * 600, is_cut=True)
    now = fetched(run)
    assert (now.log_bytes, now.log_lines, now.log_cut, now.tail) == (14, 3, True, "x" * 500)
    assert whole_log(run) == b"one\ntwo\nthree\n"


def test_the_same_piece_again_changes_nothing(run: ProjectRun) -> None:
    for _ in range(3):
        give(run, 0, b"one\n", tail="10%")
    give(run, 4, b"", tail="20%")
    now = fetched(run)
    assert (now.log_bytes, now.log_lines, now.tail, LogChunk.objects.count()) == (4, 1, "20%", 1)


def test_who_lost_the_run_writes_nothing(run: ProjectRun) -> None:
    give(run, 0, b"one\n")
    for stale in (run.fence - 1, run.fence + 1):
        with pytest.raises(Fenced):
            give(run, 4, b"late\n", fence=stale)
    end(run, RunState.LOST)
    with pytest.raises(Fenced):
        give(run, 4, b"late\n")
    assert (whole_log(run), fetched(run).log_lines) == (b"one\n", 1)


def test_a_gap_or_a_piece_too_large_is_a_fault(run: ProjectRun) -> None:
    with pytest.raises(ValueError, match="begins at 5"):
        give(run, 5, b"one\n")
    with pytest.raises(ValueError, match="bytes"):
        give(run, 0, b"x" * (MAX_CHUNK_BYTES + 1))
    assert not LogChunk.objects.exists()


def test_pages_are_told_after_the_commit(
    run: ProjectRun, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    live.pushes.take()
    with django_capture_on_commit_callbacks(execute=True):
        give(run, 0, b"one\n")
        assert live.pushes.take() == {}
    assert live.pushes.take() == {run.pk: {"log"}}


def test_a_piece_costs_so_many_statements(run: ProjectRun) -> None:
    for count in (1, 40):
        append(run, *["before"] * count)
        start = fetched(run).log_bytes
        with CaptureQueriesContext(connection) as captured:
            give(run, start, b"x\n" * count)
        # Savepoint, row, counters, piece, release.
        assert len(captured) == 5


def test_an_ended_runs_log_becomes_a_file(run: ProjectRun, data_folder: DataFolder) -> None:
    for number in range(30):
        append(run, *(f"line {number}.{line}" for line in range(number)), tail="99%")
    before = whole_log(run)
    assert not actions.store_log(run=fetched(run))
    end(run)
    assert actions.store_logs() == 1
    now = fetched(run)
    assert now.run is not None
    place = Path(data_folder.artifacts, str(now.run.experiment_id), now.run.run_id, "artifacts/logs/output.log")
    assert place.read_bytes() == before == whole_log(run)
    assert (now.log_stored, now.tail, LogChunk.objects.count(), now.log_bytes) == (True, "", 0, len(before))
    assert actions.store_logs() == 0
    assert actions.store_log(run=now)


def test_there_is_no_file_where_nothing_was_written(run: ProjectRun) -> None:
    end(run, RunState.CANCELLED)
    assert actions.store_logs() == 0
    assert not files_of(fetched(run)).exists(LOG_PATH)


def test_without_a_tracking_run_the_pieces_stay(run: ProjectRun) -> None:
    append(run, "one")
    end(run)
    ProjectRun.objects.update(run=None)
    assert actions.store_logs() == 0
    assert whole_log(run) == STAMP + b"one\n"


class Killed(BaseException):
    """As if the process were gone."""


def test_killed_between_the_file_and_the_rows(run: ProjectRun, monkeypatch: pytest.MonkeyPatch) -> None:
    append(run, "one", "two")
    before = whole_log(run)
    end(run)

    def kill(run: ProjectRun) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("apps.projects.actions.logs._mark", kill)
        with pytest.raises(Killed):
            actions.store_logs()
    assert (fetched(run).log_stored, LogChunk.objects.count(), whole_log(run)) == (False, 1, before)
    assert actions.store_logs() == 1
    assert (fetched(run).log_stored, LogChunk.objects.count(), whole_log(run)) == (True, 0, before)


def test_who_stores_while_the_pieces_go_writes_no_part(run: ProjectRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sweepers at once: the slower reads pieces that the faster deletes."""
    for _ in range(3):
        append(run, "x" * 200_000)
    before = whole_log(run)
    slower = end(run)

    def overtaken(run_id: int, start: int) -> Iterator[bytes]:
        pieces = chunks_of(run_id, start)
        yield next(pieces)
        with monkeypatch.context() as patch:
            patch.setattr("apps.projects.actions.logs.chunks_of", chunks_of)
            assert actions.store_logs() == 1
        yield from pieces

    monkeypatch.setattr("apps.projects.actions.logs.chunks_of", overtaken)
    assert not actions.store_log(run=slower)
    assert (whole_log(run), fetched(run).log_stored) == (before, True)


def test_a_store_that_is_away_loses_nothing(run: ProjectRun, monkeypatch: pytest.MonkeyPatch) -> None:
    append(run, "one")
    end(run)

    def away(*what: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(own_store(), "write", away)
        assert actions.store_logs() == 0
    assert whole_log(run) == STAMP + b"one\n"
    assert actions.store_logs() == 1


@pytest.fixture
def held(run: ProjectRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version in use is made of the whole folder of the run."""

    def holder(things: Things) -> Hold | None:
        return Hold("a version in production is made of it.", frozenset({uri})) if things.runs else None

    uri = files_of(fetched(run)).uri
    monkeypatch.setattr(holds, "_holders", [holder])


@pytest.mark.usefixtures("held")
def test_what_is_held_stays_as_it_is(run: ProjectRun) -> None:
    append(run, "one")
    with pytest.raises(Conflict, match="production"):
        actions.store_log(run=end(run))
    assert actions.store_logs() == 0
    assert (whole_log(run), fetched(run).log_stored) == (STAMP + b"one\n", False)


@pytest.mark.parametrize("content", ["same", "other"])
def test_a_file_that_is_held_counts_where_it_is_the_log(
    run: ProjectRun, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, content: str
) -> None:
    append(run, "one", "two")
    append(run, "three")
    before = whole_log(run)
    files = files_of(end(run))

    class Source:
        left = before if content == "same" else before[::-1]

        def read(self, size: int = -1, /) -> bytes:
            piece, self.left = self.left[:7], self.left[7:]
            return piece

    files.write(LOG_PATH, Source())
    request.getfixturevalue("held")
    assert actions.store_logs() == (content == "same")
    assert (whole_log(run), fetched(run).log_stored) == (before, content == "same")


def test_a_file_that_somebody_deleted_is_an_empty_log(run: ProjectRun) -> None:
    append(run, "one")
    end(run)
    actions.store_logs()
    files_of(fetched(run)).delete(LOG_PATH)
    part = read_log(fetched(run))
    assert (part.data, part.has_ended) == (b"", True)
    assert whole_log(run) == b""


def test_the_setting_bounds_logs() -> None:
    assert settings.PROJECT_LOG_BYTES == 64 * 1024 * 1024
