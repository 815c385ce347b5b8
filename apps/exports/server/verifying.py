"""Comparing a run at a server with what is here: its histories are read in pages, and summed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apps.experiments.selectors.sums import series_sums, sums_of
from apps.exports.server.calls import Calls
from apps.exports.server.words import PARENT, plain
from apps.exports.targets import Going
from apps.imports.sources.cells import number_of
from apps.imports.tally import Tally

_HISTORY = 20_000


def verify_run(calls: Calls, run_id: str, going: Going, tally: Tally) -> list[str]:
    """Lines for what differs. `run_id` is its id there."""
    run, about = going.foreign, f"run {going.foreign.run_id}"
    answer = calls.call("GET", "runs/get", run_id=run_id)["run"]
    info, data = answer["info"], answer.get("data") or {}
    params, tags = _pairs(data.get("params")), _pairs(data.get("tags"))
    lines = [] if params == run.params else [f"{about}: the params differ"]
    ours = {key: value for key, value in plain(run.tags).items() if key != PARENT}
    if {key: tags.get(key) for key in ours} != ours:
        lines.append(f"{about}: the tags differ")
    if (info.get("status"), int(info.get("start_time") or 0)) != (run.status, run.start_ms or 0):
        lines.append(f"{about}: its state or when it began differs")
    if int(info.get("end_time") or 0) != (run.end_ms or 0):
        lines.append(f"{about}: when it ended differs")
    if (info.get("lifecycle_stage") == "deleted") != run.is_deleted:
        lines.append(f"{about}: whether it is in the trash differs")
    mine = series_sums([run.run_id])
    for series in going.series:
        sums = sums_of(_history(calls, run_id, series.key))
        if mine.get((run.run_id, series.key)) != sums:
            lines.append(f"{about}: the points of the metric '{series.key}' differ")
        tally.compared["metric points"] += sums.points
    tally.compared["runs"] += 1
    tally.progress("comparing", tally.compared)
    return lines


def _history(calls: Calls, run_id: str, key: str) -> Iterator[tuple[int, int, float, bool]]:
    found: Iterator[Mapping[str, Any]] = calls.pages(
        "GET", "metrics/get-history", "metrics", run_id=run_id, metric_key=key, max_results=_HISTORY
    )
    for each in found:
        yield int(each.get("step") or 0), int(each["timestamp"]), *number_of(each["value"])


def _pairs(listed: Any) -> dict[str, str]:
    return {str(each["key"]): str(each.get("value", "")) for each in listed or ()}
