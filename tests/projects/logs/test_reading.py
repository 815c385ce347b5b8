"""A log from any place, while it is written and after."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.projects import actions
from apps.projects.models import ProjectRun
from apps.projects.selectors.logs import read_log, read_log_before, stream_log
from slipway.paths import DataFolder
from tests.experiments.artifacts.conftest import data_folder
from tests.personas import People
from tests.projects.logs.made import append, end, fetched, make_project_run

__all__ = ["data_folder"]


@pytest.fixture(params=["pieces", "file"])
def log(people: People, data_folder: DataFolder, request: pytest.FixtureRequest) -> tuple[ProjectRun, bytes]:
    """A run whose log lies in many pieces or in a file, and the log."""
    run = make_project_run(people.ada)
    other = make_project_run(people.ada)
    for number in range(40):
        append(run, *(f"line {number} {'x' * line}" for line in range(number % 7)))
        append(other, "of another run")
    whole = b"".join(stream_log(fetched(run)))
    if request.param == "file":
        actions.store_log(run=end(run))
    return fetched(run), whole


def test_from_any_place(log: tuple[ProjectRun, bytes]) -> None:
    run, whole = log
    assert whole.count(b"\n") == run.log_lines
    assert len(whole) == run.log_bytes
    for offset in (0, 1, 33, 500, len(whole) - 1, len(whole), len(whole) + 10):
        part = read_log(run, offset)
        assert (part.start, part.data) == (offset, whole[offset:])
        assert part.next_offset == max(offset, len(whole))
        assert b"".join(stream_log(run, offset)) == whole[offset:]


@pytest.mark.parametrize("limit", [1, 40, 100, 1000])
def test_in_parts_of_whole_lines(log: tuple[ProjectRun, bytes], limit: int) -> None:
    run, whole = log
    parts, offset = [], 0
    while data := read_log(run, offset, limit).data:
        parts.append(data)
        offset += len(data)
    assert b"".join(parts) == whole
    assert max(map(len, parts)) <= limit
    if limit > 60:
        assert all(part.endswith(b"\n") for part in parts)


def test_backwards(log: tuple[ProjectRun, bytes]) -> None:
    run, whole = log
    parts: list[bytes] = []
    end_of_part = len(whole)
    while end_of_part:
        part = read_log_before(run, end_of_part, 300)
        assert part.next_offset == end_of_part
        assert part.data.startswith(b"2026-")
        parts.insert(0, part.data)
        end_of_part = part.start
    assert b"".join(parts) == whole
    assert read_log_before(run, 10**12).data == whole


def test_it_says_when_nothing_comes_after(log: tuple[ProjectRun, bytes]) -> None:
    run, whole = log
    has_ended = not run.is_active
    assert read_log(run, len(whole)).has_ended is has_ended
    assert read_log(run, 0).has_ended is has_ended
    assert not read_log(run, 0, 100).has_ended


def test_a_constant_number_of_statements(log: tuple[ProjectRun, bytes]) -> None:
    run, whole = log
    for offset, limit in ((0, 10), (0, 10**6), (len(whole) - 5, 10**6)):
        with CaptureQueriesContext(connection) as captured:
            read_log(run, offset, limit)
        assert len(captured) == (0 if run.log_stored else 1)


def test_who_fetched_the_run_before_it_was_stored_reads_on(people: People, data_folder: DataFolder) -> None:
    run = make_project_run(people.ada)
    append(run, "one", tail="99%")
    early = fetched(run)
    whole = read_log(early).data
    actions.store_log(run=end(run))
    part = read_log(early)
    assert (part.data, part.has_ended, part.tail) == (whole, True, "")
    assert b"".join(stream_log(early, 5)) == whole[5:]


def test_the_line_that_is_being_written(people: People) -> None:
    run = make_project_run(people.ada)
    append(run, "one", tail="99%")
    assert read_log(fetched(run), 10**6).tail == "99%"
    assert read_log(end(run)).tail == ""
