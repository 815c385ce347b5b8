"""Runs as a table for spreadsheets: all params, latest metrics and people's tags. Four statements."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from apps.core.spreadsheets import as_cell
from apps.experiments.models import Param, Run, RunTag, Series

MAX_RUNS = 10_000
_FIXED = ("run_id", "name", "status", "user", "start", "end", "duration_seconds", "parent_run_id")

Cells = dict[int, dict[str, str]]


def csv_lines(runs: Sequence[Run]) -> Iterator[str]:
    """The lines of a CSV file, the head first."""
    ids = [run.pk for run in runs]
    groups = {"metrics": _metrics(ids), "params": _params(ids), "tags": _tags(ids)}
    columns = [(name, key) for name, cells in groups.items() for key in _keys(cells)]
    yield _line([*_FIXED, *(as_cell(f"{name}.{key}") for name, key in columns)])
    for run in runs:
        cells = (groups[name][run.pk].get(key, "") for name, key in columns)
        yield _line([*_fixed(run), *(as_cell(cell, may_be_number=True) for cell in cells)])


def _metrics(ids: list[int]) -> Cells:
    found: Cells = defaultdict(dict)
    rows = Series.objects.filter(run_id__in=ids).values_list("run_id", "key", "last_value", "last_is_nan")
    for run_id, key, value, is_nan in rows:
        found[run_id][key] = "NaN" if is_nan else repr(value)
    return found


def _params(ids: list[int]) -> Cells:
    found: Cells = defaultdict(dict)
    for run_id, key, value in Param.objects.filter(run_id__in=ids).values_list("run_id", "key", "value"):
        found[run_id][key] = value
    return found


def _tags(ids: list[int]) -> Cells:
    found: Cells = defaultdict(dict)
    rows = RunTag.objects.filter(run_id__in=ids).exclude(key__startswith="mlflow.")
    for run_id, key, value in rows.values_list("run_id", "key", "value"):
        found[run_id][key] = value
    return found


def _keys(cells: Cells) -> list[str]:
    return sorted({key for row in cells.values() for key in row})


def _fixed(run: Run) -> list[str]:
    seconds = "" if run.start_ms is None or run.end_ms is None else str((run.end_ms - run.start_ms) / 1000)
    texts = [as_cell(run.name), run.status, as_cell(run.user_name), _moment(run.start_ms), _moment(run.end_ms)]
    return [run.run_id, *texts, seconds, as_cell(run.parent_run_id)]


def _moment(ms: int | None) -> str:
    try:
        return "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, OSError, ValueError):
        return str(ms)


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
