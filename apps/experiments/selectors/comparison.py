"""Runs side by side: a constant number of statements for any number of runs, keys and experiments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core import formatting
from apps.core.actor import Actor
from apps.core.errors import InvalidInput, NotFound
from apps.experiments.models import Param, Run, RunTag, Series

MAX_RUNS = 50
# Beyond so many rows a section shows its first; the page says so.
MAX_ROWS = 1000
# What the machine did is not better or worse.
_SYSTEM = "system/"
_SMALLER_IS_BETTER = ("loss", "error", "err", "mse", "rmse", "mae", "mape", "perplexity", "time", "seconds", "latency")


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one run; `number` where it is one. Empty text: the run has none."""

    text: str = ""
    number: float | None = None
    is_best: bool = False
    is_different: bool = False
    delta: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A key and its values in the order of the runs."""

    key: str
    cells: list[Cell]
    differs: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """`baseline` is the index of the run that the others are measured against."""

    runs: list[Run]
    baseline: int
    facts: list[Row]
    params: list[Row]
    metrics: list[Row]
    tags: list[Row]
    metric_keys: list[str]
    missing: int


def compare(actor: Actor, run_ids: Sequence[str], *, baseline: str = "") -> Comparison:
    """The runs in the order asked for. Runs the actor can't see are left out and counted; none left is `NotFound`."""
    wanted = list(dict.fromkeys(one for one in run_ids if one))
    if len(wanted) > MAX_RUNS:
        raise InvalidInput(f"At most {MAX_RUNS} runs can be compared at once.")
    runs = visible_runs(actor, wanted)
    if wanted and not runs:
        raise NotFound("None of these runs exists.")
    base = next((place for place, run in enumerate(runs) if run.run_id == baseline), 0)
    metrics = _metric_rows(runs, base)
    return Comparison(
        runs=runs,
        baseline=base,
        facts=_facts(runs, base),
        params=_text_rows(runs, base, Param.objects.filter(run__in=runs)),
        metrics=metrics,
        tags=_text_rows(runs, base, RunTag.objects.filter(run__in=runs).exclude(key__startswith="mlflow.")),
        metric_keys=[row.key for row in metrics],
        missing=len(wanted) - len(runs),
    )


def visible_runs(actor: Actor, run_ids: Sequence[str]) -> list[Run]:
    """Runs by id, in that order, with experiment and team; without those that the actor can't see."""
    found = Run.objects.visible_to(actor).select_related("experiment__team").filter(run_id__in=list(run_ids))
    by_id = {run.run_id: run for run in found}
    return [by_id[run_id] for run_id in run_ids if run_id in by_id]


def _text_rows(runs: Sequence[Run], base: int, rows: Any) -> list[Row]:
    by_key: dict[str, dict[int, str]] = defaultdict(dict)
    for run_pk, key, value in rows.order_by("key").values_list("run_id", "key", "value"):
        by_key[key][run_pk] = value
    return [
        _row(key, [Cell(values.get(run.pk, ""), _number(values.get(run.pk, ""))) for run in runs], base)
        for key, values in sorted(by_key.items())[:MAX_ROWS]
    ]


def _metric_rows(runs: Sequence[Run], base: int) -> list[Row]:
    by_key: dict[str, dict[int, Series]] = defaultdict(dict)
    for series in Series.objects.filter(run__in=runs).order_by("key"):
        by_key[series.key][series.run_id] = series
    return [
        _with_best(_row(key, [_metric_cell(found.get(run.pk)) for run in runs], base), base)
        for key, found in sorted(by_key.items())[:MAX_ROWS]
    ]


def _metric_cell(series: Series | None) -> Cell:
    if series is None:
        return Cell()
    if series.last_is_nan:
        return Cell("NaN")
    return Cell(formatting.short_number(series.last_value), series.last_value)


def _facts(runs: Sequence[Run], base: int) -> list[Row]:
    made: list[tuple[str, Callable[[Run], str]]] = [
        ("experiment", lambda run: run.experiment.name),
        ("status", lambda run: run.status),
        ("start", lambda run: _moment(run.start_ms)),
        ("duration", lambda run: _duration(run)),
        ("user", lambda run: run.user_name),
    ]
    return [_row(key, [Cell(read(run)) for run in runs], base) for key, read in made]


def _moment(ms: int | None) -> str:
    moment = formatting.as_moment(ms)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def _duration(run: Run) -> str:
    if run.start_ms is None or run.end_ms is None:
        return ""
    return formatting.duration(run.end_ms - run.start_ms)


def _row(key: str, cells: Sequence[Cell], base: int) -> Row:
    if not cells:
        return Row(key, [], False)
    first = cells[base]
    marked = [
        Cell(cell.text, cell.number, is_different=(cell.text, cell.number) != (first.text, first.number))
        for cell in cells
    ]
    return Row(key, marked, any(cell.is_different for cell in marked))


def _with_best(row: Row, base: int) -> Row:
    numbers = [cell.number for cell in row.cells if cell.number is not None]
    judged = len(set(numbers)) > 1 and not row.key.startswith(_SYSTEM)
    best = _best(row.key, numbers) if judged else None
    first = row.cells[base].number
    cells = [
        Cell(cell.text, cell.number, cell.number is not None and cell.number == best, cell.is_different,
             _delta(cell.number, first) if cell.is_different else "")
        for cell in row.cells
    ]  # fmt: skip
    return Row(row.key, cells, row.differs)


def smaller_is_better(key: str) -> bool:
    """Whether a metric's name says that it is a loss or an error."""
    words = key.lower().replace("/", "_").replace("-", "_").replace(".", "_").replace(" ", "_").split("_")
    return any(word in _SMALLER_IS_BETTER for word in words)


def _best(key: str, numbers: Iterable[float]) -> float:
    return min(numbers) if smaller_is_better(key) else max(numbers)


def _delta(number: float | None, first: float | None) -> str:
    if number is None or first is None:
        return ""
    change = formatting.short_number(number - first)
    return change if change.startswith("-") else f"+{change}"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
