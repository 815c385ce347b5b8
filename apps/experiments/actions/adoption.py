"""Bringing over what another tracking server kept: with its ids and times, many runs in one transaction.

One event for each call, in the transaction of its rows: whoever brings a million points over does one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from django.db import IntegrityError, transaction

from apps.accounts.access import require_admin, require_team
from apps.accounts.models import Team
from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict
from apps.experiments import events, ingest, limits
from apps.experiments.actions.common import now_ms
from apps.experiments.actions.datasets import CONTEXT_TAG
from apps.experiments.actions.experiments import DEFAULT_EXPERIMENT_NAME, default_experiment_id
from apps.experiments.actions.model_metrics import row_of
from apps.experiments.foreign import (
    OLD_ID_TAG,
    ORIGIN_TAG,
    ForeignExperiment,
    ForeignLoggedModel,
    ForeignRun,
    Piece,
)
from apps.experiments.hot import ANYWHERE
from apps.experiments.ingest import Batch, Value, parent_of
from apps.experiments.ingest_bulk import insert_rows, store_pieces
from apps.experiments.models import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentTag,
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelTag,
    ModelLink,
    Param,
    Run,
    RunStatus,
    RunTag,
)

_AT_ONCE = 1_000
_GOING = (RunStatus.RUNNING, RunStatus.SCHEDULED)


def adopt_experiment(actor: Actor, *, experiment: ForeignExperiment, origin: str) -> tuple[Experiment, bool]:
    """The experiment of the actor's team that stands for another server's, and whether it was made for it.

    It is the one that an earlier call made or took, else the one of the same name, else a new one. One that was
    deleted comes into the trash as of now. Raises `Conflict` where it lies in the trash here and not there.
    """
    require_admin(actor)
    limits.check_length("name", experiment.name, limits.MAX_EXPERIMENT_NAME_LENGTH)
    team_id = require_team(actor)
    if experiment.name == DEFAULT_EXPERIMENT_NAME:
        default_experiment_id(actor)
    with transaction.atomic():
        found = _adopted(team_id, experiment, origin)
        if found is not None:
            _mark(found, experiment, origin)
            return found, False
        now = now_ms()
        made = Experiment.objects.create(
            team_id=team_id,
            name=experiment.name,
            created_ms=experiment.created_ms,
            updated_ms=experiment.updated_ms,
            deleted_ms=now if experiment.is_deleted else None,
        )
        _mark(made, experiment, origin)
        after = {"from": origin, "old_id": experiment.old_id}
        record(actor, events.EXPERIMENT_IMPORTED, _subject(made), after=after, note=experiment.old_id)
    return made, True


def adopt_logged_models(
    actor: Actor, *, experiment: Experiment, models: Sequence[ForeignLoggedModel], origin: str
) -> int:
    """Logged models with their ids, params and tags; those that are there stay as they are. How many are new."""
    require_admin(actor)
    with transaction.atomic():
        wanted = [model.model_id for model in models]
        known = set(LoggedModel.objects.filter(model_id__in=wanted).values_list("model_id", flat=True))
        fresh = {model.model_id: model for model in models if model.model_id not in known}
        if not fresh:
            return 0
        now = now_ms()
        rows = LoggedModel.objects.bulk_create(
            [_logged_model(experiment, model, now) for model in fresh.values()], batch_size=_AT_ONCE
        )
        LoggedModelParam.objects.bulk_create(
            LoggedModelParam(model=row, key=key, value=value)
            for row in rows
            for key, value in fresh[row.model_id].params.items()
        )
        LoggedModelTag.objects.bulk_create(
            LoggedModelTag(model=row, key=key, value=value)
            for row in rows
            for key, value in fresh[row.model_id].tags.items()
        )
        after = {"from": origin, "models": len(rows)}
        record(actor, events.LOGGED_MODELS_IMPORTED, _subject(experiment), after=after, note=str(len(rows)))
    return len(rows)


def adopt_runs(
    actor: Actor, *, experiment: Experiment, runs: Sequence[ForeignRun], pieces: Iterable[Piece], origin: str
) -> int:
    """New runs with all that they logged, in one transaction; how many points. Logged models have to be there.

    Raises `AlreadyExists` where one of the ids is taken, and whatever `pieces` raises: nothing is stored then.
    """
    require_admin(actor)
    now = now_ms()
    try:
        with transaction.atomic():
            made = Run.objects.bulk_create([_run(experiment, run, now) for run in runs], batch_size=_AT_ONCE)
            keys = {run.run_id: run.pk for run in made}
            points = store_pieces(keys, pieces)
            insert_rows(
                "experiments_param", ("run_id", "key", "value"), _pairs(keys, {r.run_id: r.params for r in runs})
            )
            insert_rows(
                "experiments_runtag", ("run_id", "key", "value"), _pairs(keys, {r.run_id: r.tags for r in runs})
            )
            _add_datasets(experiment, runs, keys)
            _add_links(experiment, runs, keys)
            after = {"from": origin, "runs": len(runs), "points": points}
            record(actor, events.RUNS_IMPORTED, _subject(experiment), after=after, note=str(len(runs)))
    except IntegrityError as error:
        raise AlreadyExists("Runs of these ids were made meanwhile: import again.") from error
    return points


def mend_runs(
    actor: Actor, *, experiment: Experiment, runs: Mapping[Run, ForeignRun], pieces: Iterable[Piece], origin: str
) -> None:
    """Add what runs that came over before lack: what was logged since. What is here stays as it is.

    Runs in the trash are left alone. A run that still went on, and has ended there since, ends here too.
    """
    require_admin(actor)
    alive = {run.run_id: run for run in runs if not run.is_deleted}
    foreign = [each for run, each in runs.items() if run.run_id in alive]
    keys = {run_id: run.pk for run_id, run in alive.items()}
    with transaction.atomic():
        Param.objects.bulk_create(
            (Param(run_id=keys[each.run_id], key=k, value=v) for each in foreign for k, v in each.params.items()),
            ignore_conflicts=True,
        )
        RunTag.objects.bulk_create(
            (RunTag(run_id=keys[each.run_id], key=k, value=v) for each in foreign for k, v in each.tags.items()),
            ignore_conflicts=True,
        )
        for each in foreign:
            if alive[each.run_id].status in _GOING and each.status not in _GOING:
                Run.objects.filter(pk=keys[each.run_id]).update(status=each.status, end_ms=each.end_ms)
        for piece in pieces:
            if piece.run_id in alive:
                ingest.store(piece.run_id, Batch(values=[Value(piece.key, *point) for point in piece.points]), ANYWHERE)
        _add_datasets(experiment, foreign, keys)
        _add_links(experiment, foreign, keys)
        after = {"from": origin, "runs": sorted(alive)}
        record(actor, events.RUNS_MENDED, _subject(experiment), after=after, note=str(len(alive)))


def _adopted(team_id: int, wanted: ForeignExperiment, origin: str) -> Experiment | None:
    here = Experiment.objects.filter(team_id=team_id).select_related("team")
    came = ExperimentTag.objects.filter(key=ORIGIN_TAG, value=origin).values("experiment")
    same = ExperimentTag.objects.filter(key=OLD_ID_TAG, value=wanted.old_id, experiment__in=came)
    found = here.filter(pk__in=same.values("experiment")).order_by("pk").first()
    found = found or here.filter(name=wanted.name).first()
    if found is not None and found.is_deleted and not wanted.is_deleted:
        raise Conflict(f"The experiment '{found.name}' lies in the trash here: restore it, or remove it for good.")
    if found is not None and wanted.is_deleted and not found.is_deleted and not _came_from(found, origin, wanted):
        raise Conflict(f"'{found.name}' was deleted there, and an experiment of this name is in use here.")
    return found


def _came_from(found: Experiment, origin: str, wanted: ForeignExperiment) -> bool:
    tags = dict(found.tags.filter(key__in=[ORIGIN_TAG, OLD_ID_TAG]).values_list("key", "value"))
    return tags == {ORIGIN_TAG: origin, OLD_ID_TAG: wanted.old_id}


def _mark(experiment: Experiment, foreign: ForeignExperiment, origin: str) -> None:
    """Its tags, where none of the key is there; whence it came is of the last import."""
    ExperimentTag.objects.bulk_create(
        (ExperimentTag(experiment=experiment, key=key, value=value) for key, value in foreign.tags.items()),
        ignore_conflicts=True,
    )
    ExperimentTag.objects.bulk_create(
        [
            ExperimentTag(experiment=experiment, key=ORIGIN_TAG, value=origin),
            ExperimentTag(experiment=experiment, key=OLD_ID_TAG, value=foreign.old_id),
        ],
        update_conflicts=True,
        unique_fields=["experiment", "key"],
        update_fields=["value"],
    )


def _logged_model(experiment: Experiment, model: ForeignLoggedModel, now: int) -> LoggedModel:
    return LoggedModel(
        model_id=model.model_id,
        experiment=experiment,
        name=model.name,
        status=model.status,
        status_message=model.status_message,
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        created_ms=model.created_ms,
        updated_ms=model.updated_ms,
        deleted_ms=now if model.is_deleted else None,
    )


def _run(experiment: Experiment, run: ForeignRun, now: int) -> Run:
    return Run(
        run_id=run.run_id,
        experiment=experiment,
        name=run.name,
        status=run.status,
        start_ms=run.start_ms,
        end_ms=run.end_ms,
        deleted_ms=now if run.is_deleted or experiment.is_deleted else None,
        user_name=run.user_name,
        parent_run_id=parent_of(run.tags),
    )


def _pairs(keys: Mapping[str, int], by_run: Mapping[str, Mapping[str, str]]) -> list[tuple[int, str, str]]:
    return [(keys[run_id], *pair) for run_id, pairs in by_run.items() for pair in pairs.items()]


def _add_datasets(experiment: Experiment, runs: Sequence[ForeignRun], keys: Mapping[str, int]) -> None:
    used = {dataset.key: dataset for run in runs for dataset in run.datasets}
    if not used:
        return
    Dataset.objects.bulk_create(
        (
            Dataset(
                experiment=experiment,
                name=dataset.name,
                digest=dataset.digest,
                source_type=dataset.source_type,
                source=dataset.source,
                schema=dataset.schema,
                profile=dataset.profile,
            )
            for dataset in used.values()
        ),
        ignore_conflicts=True,
    )
    found = Dataset.objects.filter(experiment=experiment, name__in={name for name, _ in used})
    ids = {(name, digest): pk for pk, name, digest in found.values_list("pk", "name", "digest")}
    DatasetInput.objects.bulk_create(
        (
            DatasetInput(
                run_id=keys[run.run_id],
                dataset_id=ids[dataset.key],
                tags=[list(pair) for pair in dataset.tags],
                context=dict(dataset.tags).get(CONTEXT_TAG, ""),
            )
            for run in runs
            for dataset in {dataset.key: dataset for dataset in run.datasets}.values()
        ),
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )


def _add_links(experiment: Experiment, runs: Sequence[ForeignRun], keys: Mapping[str, int]) -> None:
    """Links to logged models of the team, and values about them. One that is gone, or another team's, has none."""
    wanted = set(chain.from_iterable((*run.inputs, *run.outputs, *(v.model_id for v in run.of_models)) for run in runs))
    if not wanted:
        return
    here = LoggedModel.objects.filter(model_id__in=wanted, experiment__team=experiment.team_id)
    models = dict(here.values_list("model_id", "pk"))
    ModelLink.objects.bulk_create(
        (
            ModelLink(run_id=keys[run.run_id], model_id=models[model_id], direction=direction, step=step)
            for run in runs
            for direction, links in ((ModelLink.Direction.INPUT, run.inputs), (ModelLink.Direction.OUTPUT, run.outputs))
            for model_id, step in links.items()
            if model_id in models
        ),
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )
    LoggedModelMetric.objects.bulk_create(
        (
            row_of(keys[run.run_id], models[of_model.model_id], of_model)
            for run in runs
            for of_model in run.of_models
            if of_model.model_id in models
        ),
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )


def _subject(experiment: Experiment) -> Subject:
    team: Team = experiment.team
    return Subject("experiment", str(experiment.pk), experiment.name, team.pk, team.name)
