"""Bringing a source over: experiment by experiment, its runs in chunks of one transaction each.

What is there already is found by its ids and compared, so an import that was stopped, however, is done again from the
start and only adds what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.experiments import actions
from apps.experiments.foreign import ForeignExperiment, ForeignRun
from apps.experiments.models import Experiment, Run, RunStatus
from apps.experiments.selectors.sums import SeriesKey, Sums, known_runs, params_of, series_sums, tags_of
from apps.imports.sources.base import BrokenSource, Source
from apps.imports.tally import Mapped, Tally

# A chunk is at most so many runs, and ends after so many points; a run is never parted.
CHUNK_RUNS = 200
CHUNK_POINTS = 200_000
_MAX_RUN_ID = 36
_GOING = (RunStatus.RUNNING, RunStatus.SCHEDULED)


def move_tracking(actor: Actor, source: Source, tally: Tally) -> list[tuple[ForeignExperiment, Experiment]]:
    """Bring all experiments over with all in them but files; those that stand for them here."""
    found = []
    for foreign in source.experiments():
        try:
            experiment, was_made = actions.adopt_experiment(actor, experiment=foreign, origin=source.label)
        except BrokenSource:
            raise
        except DomainError as error:
            tally.problem(f"experiment '{foreign.name}': {error.message}")
            continue
        tally.mapped.append(Mapped(foreign.old_id, foreign.name, experiment.pk, was_made))
        (tally.brought if was_made else tally.there)["experiments"] += 1
        found.append((foreign, experiment))
        _move_models(actor, source, foreign, experiment, tally)
        for chunk in chunks(source.run_ids(foreign.old_id)):
            _move_chunk(actor, source, experiment, chunk, tally)
            tally.progress(f"bringing over '{experiment}'")
    return found


def chunks(run_ids: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    """Parts of a list of runs with their numbers of points, each for one transaction."""
    chunk: list[str] = []
    points = 0
    for run_id, count in run_ids:
        if chunk and (len(chunk) == CHUNK_RUNS or points + count > CHUNK_POINTS):
            yield chunk
            chunk, points = [], 0
        chunk.append(run_id)
        points += count
    if chunk:
        yield chunk


def lacking(source: Source, foreign: Collection[ForeignRun]) -> tuple[set[str], set[SeriesKey]]:
    """The runs that are here and lack something of the source's, and the series that do."""
    run_ids = [run.run_id for run in foreign]
    theirs, ours = source.sums(run_ids), series_sums(run_ids)
    series = {key for key, sums in theirs.items() if ours.get(key) != sums and not _has_more(ours.get(key), sums)}
    params, tags = params_of(run_ids), tags_of(run_ids)
    runs = {run_id for run_id, _ in series}
    for run in foreign:
        if not run.params.keys() <= params[run.run_id].keys() or not run.tags.keys() <= tags[run.run_id].keys():
            runs.add(run.run_id)
    return runs, series


def _has_more(ours: Sums | None, theirs: Sums) -> bool:
    """Somebody went on logging here: then it can't be said by sums, and nothing is added."""
    return ours is not None and ours.points > theirs.points


def _move_models(
    actor: Actor, source: Source, foreign: ForeignExperiment, experiment: Experiment, tally: Tally
) -> None:
    models = [found.model for found in source.logged_models(foreign.old_id)]
    if models:
        made = actions.adopt_logged_models(actor, experiment=experiment, models=models, origin=source.label)
        tally.brought["logged models"] += made
        tally.there["logged models"] += len(models) - made


def _move_chunk(actor: Actor, source: Source, experiment: Experiment, run_ids: list[str], tally: Tally) -> None:
    usable = []
    for run_id in run_ids:
        if len(run_id) > _MAX_RUN_ID:
            tally.problem(f"run {run_id[:50]}…: its id is longer than {_MAX_RUN_ID} characters")
        else:
            usable.append(run_id)
    known = known_runs(usable)
    foreign = source.runs(usable)
    _collect_problems(source, tally)
    fresh = [run for run in foreign if run.run_id not in known]
    if fresh:
        pieces = source.pieces([run.run_id for run in fresh])
        points = actions.adopt_runs(actor, experiment=experiment, runs=fresh, pieces=pieces, origin=source.label)
        tally.brought["runs"] += len(fresh)
        tally.brought["metric points"] += points
        _collect_problems(source, tally)
    _mend(actor, source, experiment, [(known[run.run_id], run) for run in foreign if run.run_id in known], tally)


def _mend(
    actor: Actor, source: Source, experiment: Experiment, pairs: Sequence[tuple[Run, ForeignRun]], tally: Tally
) -> None:
    ours = [(run, foreign) for run, foreign in pairs if run.experiment_id == experiment.pk]
    for run, _ in pairs:
        if run.experiment_id != experiment.pk:
            team = run.experiment.team.name
            tally.problem(f"run {run.run_id}: it is in the experiment '{run.experiment}' of the team {team} already")
    tally.there["runs"] += len(ours)
    if not ours:
        return
    runs, series = lacking(source, [foreign for _, foreign in ours])
    runs |= {run.run_id for run, foreign in ours if run.status in _GOING and foreign.status not in _GOING}
    mended = {run: foreign for run, foreign in ours if run.run_id in runs and not run.is_deleted}
    if mended:
        pieces = source.pieces([run.run_id for run in mended], series) if series else iter(())
        actions.mend_runs(actor, experiment=experiment, runs=mended, pieces=pieces, origin=source.label)
        tally.brought["runs that went on"] += len(mended)


def _collect_problems(source: Source, tally: Tally) -> None:
    for line in source.problems:
        tally.problem(line)
    source.problems.clear()
