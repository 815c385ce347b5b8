"""Comparing what is here with the source, when all is brought over."""

from __future__ import annotations

from apps.experiments.foreign import ForeignExperiment, ForeignRun
from apps.experiments.models import Experiment, Run
from apps.experiments.selectors.sums import known_runs, params_of, series_sums, tags_of
from apps.imports.moving import chunks
from apps.imports.sources.base import Source
from apps.imports.tally import Tally

# A note of a person may have been changed here since; what is compared is whether it is there.
_Pairs = dict[str, str]


def verify_tracking(source: Source, moved: list[tuple[ForeignExperiment, Experiment]], tally: Tally) -> list[str]:
    """Lines that say what differs; none where all is here."""
    differences: list[str] = []
    for foreign, experiment in moved:
        for chunk in chunks(source.run_ids(foreign.old_id)):
            differences += _compare(source, experiment, chunk, tally)
            tally.progress("comparing", tally.compared)
    return differences


def _compare(source: Source, experiment: Experiment, run_ids: list[str], tally: Tally) -> list[str]:
    theirs = source.runs(run_ids)
    source.problems.clear()
    here = known_runs([run.run_id for run in theirs])
    sums, ours = source.sums([run.run_id for run in theirs]), series_sums(list(here))
    params, tags = params_of(list(here)), tags_of(list(here))
    lines = []
    for run in theirs:
        found = here.get(run.run_id)
        if found is None or found.experiment_id != experiment.pk:
            lines.append(f"run {run.run_id} is not here")
            continue
        lines += _differences(run, found, params[run.run_id], tags[run.run_id])
        tally.compared["runs"] += 1
        tally.compared["params"] += len(run.params)
        tally.compared["tags"] += len(run.tags)
    for (run_id, key), there in sums.items():
        tally.compared["metric points"] += there.points
        mine = ours.get((run_id, key))
        if run_id in here and mine != there and not (mine is not None and mine.points > there.points):
            lines.append(f"run {run_id}: of the metric '{key}' there are {there.points} points there, {mine} here")
    return lines


def _differences(run: ForeignRun, here: Run, params: _Pairs, tags: _Pairs) -> list[str]:
    lines = [f"run {run.run_id}: the param '{key}' differs" for key in run.params if params.get(key) != run.params[key]]
    lines += [f"run {run.run_id}: the tag '{key}' is not here" for key in run.tags if key not in tags]
    if (here.start_ms, here.user_name) != (run.start_ms, run.user_name):
        lines.append(f"run {run.run_id}: when or by whom it was started differs")
    return lines
