"""What is here, in the shapes in which an import takes another server's: so are both compared in the end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import TypeVar

from django.db.models import QuerySet

from apps.experiments.actions import ModelValue, UsedDataset, Value
from apps.experiments.actions.experiments import DEFAULT_EXPERIMENT_NAME
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun, Piece
from apps.experiments.models import (
    DatasetInput,
    Experiment,
    LoggedModel,
    LoggedModelMetric,
    LoggedModelStatus,
    ModelLink,
    Point,
    Run,
    RunStatus,
    Series,
)
from apps.experiments.selectors.sums import params_of, tags_of
from apps.exports.targets import GoingModel, Owner
from apps.registry.foreign import ForeignModel, ForeignVersion
from apps.registry.models import ModelVersion, RegisteredModel

Row = TypeVar("Row", Run, LoggedModel)
# So many runs at once, or fewer where they have so many series or points.
CHUNK_RUNS = 200
CHUNK_SERIES = 2_000
CHUNK_POINTS = 200_000
_BLOCK = 20_000
# The end of an address of files, wherever the store is.
_FOLDER = re.compile(
    r".*/(?:models/(?P<model>[\w-]{1,36})|(?<!/models/)(?P<run>[\w-]{1,36}))/artifacts(?P<rest>/.*)?", re.DOTALL
)
# MLflow's first experiment.
_DEFAULT_ID = "0"


def experiment_of(experiment: Experiment) -> ForeignExperiment:
    """Its id is the one here; that of a team's `Default` is 0, where MLflow's clients look for it."""
    return ForeignExperiment(
        old_id=_DEFAULT_ID if _is_default(experiment) else str(experiment.pk),
        name=experiment.name,
        created_ms=experiment.created_ms,
        updated_ms=experiment.updated_ms,
        is_deleted=experiment.is_deleted,
        tags=dict(experiment.tags.values_list("key", "value")),
    )


def _is_default(experiment: Experiment) -> bool:
    """The first team's has the id 0 under any name, and another `Default` beside it is none."""
    if experiment.pk == 0 or experiment.name != DEFAULT_EXPERIMENT_NAME:
        return experiment.pk == 0
    return not Experiment.objects.filter(pk=0, team=experiment.team_id).exists()


def series_of(runs: Collection[Run]) -> dict[int, list[Series]]:
    """By key of the run."""
    found: dict[int, list[Series]] = {run.pk: [] for run in runs}
    for series in Series.objects.filter(run__in=runs).order_by("run", "key"):
        found[series.run_id].append(series)
    return found


def paged(found: QuerySet[Row]) -> Iterator[Row]:
    """Rows in their order, of which no more than the keys are kept.

    No statement stays open in between: while one does, SQLite can't shorten its log of what others write. Keys and not
    times lead on, since runs may have none.
    """
    keys = list(found.values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK_RUNS):
        yield from list(found.filter(pk__in=keys[start : start + CHUNK_RUNS]))


def chunks(runs: Iterator[Run]) -> Iterator[dict[Run, list[Series]]]:
    """Runs with their series, in parts that fit into memory; a run is never parted."""
    chunk: dict[Run, list[Series]] = {}
    series = points = 0
    for run, mine in _with_series(runs):
        series, points = series + len(mine), points + sum(each.count for each in mine)
        if chunk and (len(chunk) == CHUNK_RUNS or series > CHUNK_SERIES or points > CHUNK_POINTS):
            yield chunk
            chunk, series, points = {}, len(mine), sum(each.count for each in mine)
        chunk[run] = mine
    if chunk:
        yield chunk


def runs_of(runs: Collection[Run]) -> list[ForeignRun]:
    """Without their points. Six statements."""
    ids = {run.pk: run.run_id for run in runs}
    params, tags = params_of(list(ids.values())), tags_of(list(ids.values()))
    datasets: dict[int, list[UsedDataset]] = {}
    for used in DatasetInput.objects.filter(run__in=runs).select_related("dataset").order_by("pk"):
        datasets.setdefault(used.run_id, []).append(_dataset(used))
    links: dict[tuple[int, str], dict[str, int]] = {}
    for link in ModelLink.objects.filter(run__in=runs).select_related("model").order_by("pk"):
        links.setdefault((link.run_id, link.direction), {})[link.model.model_id] = link.step
    values: dict[int, list[ModelValue]] = {}
    for metric in LoggedModelMetric.objects.filter(run__in=runs).select_related("model").order_by("pk"):
        values.setdefault(metric.run_id, []).append(value_of(metric))
    return [
        ForeignRun(
            run_id=run.run_id,
            name=run.name,
            status=RunStatus(run.status),
            start_ms=run.start_ms,
            end_ms=run.end_ms,
            user_name=run.user_name,
            is_deleted=run.is_deleted,
            params=params[run.run_id],
            tags=tags[run.run_id],
            datasets=datasets.get(run.pk, []),
            inputs=links.get((run.pk, ModelLink.Direction.INPUT), {}),
            outputs=links.get((run.pk, ModelLink.Direction.OUTPUT), {}),
            of_models=values.get(run.pk, []),
        )
        for run in runs
    ]


def pieces_of(chunk: Mapping[Run, Sequence[Series]]) -> Iterator[Piece]:
    """All points of runs in blocks; those of a series come one after the other."""
    ids = {run.pk: run.run_id for run in chunk}
    for some in _batches(list(chain.from_iterable(chunk.values()))):
        keys = {each.pk: (ids[each.run_id], each.key) for each in some}
        rows = (
            Point.objects.filter(series__in=list(keys))
            .order_by("series", "step", "timestamp", "value", "is_nan")
            .values_list("series_id", "step", "timestamp", "value", "is_nan")
            .iterator(chunk_size=_BLOCK)
        )
        for series, found in groupby(rows, itemgetter(0)):
            points = map(itemgetter(1, 2, 3, 4), found)
            while block := list(islice(points, _BLOCK)):
                yield Piece(*keys[series], block)


def stamp_of(run: ForeignRun, series: Sequence[Series]) -> str:
    """A text that is another one when anything of the run has changed, read without its points."""
    counted = [
        (each.key, each.count, each.last_step, each.last_timestamp, each.last_value, each.last_is_nan)
        for each in series
    ]
    return hashlib.sha256(repr((run, counted)).encode()).hexdigest()


def logged_models_of(models: Collection[LoggedModel]) -> list[ForeignLoggedModel]:
    """Without metrics: those are of the runs that logged them."""
    return [
        ForeignLoggedModel(
            model_id=model.model_id,
            name=model.name,
            status=LoggedModelStatus(model.status),
            status_message=model.status_message,
            model_type=model.model_type,
            source_run_id=model.source_run_id,
            created_ms=model.created_ms,
            updated_ms=model.updated_ms,
            is_deleted=model.deleted_ms is not None,
            params={each.key: each.value for each in model.params.all()},
            tags={each.key: each.value for each in model.tags.all()},
        )
        for model in models
    ]


def registered_model_of(model: RegisteredModel) -> GoingModel:
    """With its versions, whose `source` is as the client wrote it, and whose files they have."""
    found = ModelVersion.objects.filter(model=model).select_related("logged_model").prefetch_related("tags")
    versions = list(found.order_by("number"))
    foreign = ForeignModel(
        name=model.name,
        description=model.description,
        created_ms=model.created_ms,
        updated_ms=model.updated_ms,
        last_number=model.last_number,
        tags=dict(model.tags.values_list("key", "value")),
        aliases={alias.name: alias.version.number for alias in model.aliases.select_related("version")},
        versions=[_version(version) for version in versions],
    )
    files = {version.number: _FOLDER.fullmatch(version.folder) for version in versions}
    return GoingModel(
        foreign,
        {number: (Owner(at["run"] or "", at["model"] or ""), at["rest"] or "") for number, at in files.items() if at},
    )


def _version(version: ModelVersion) -> ForeignVersion:
    return ForeignVersion(
        number=version.number,
        source=version.source,
        run_id=version.run_id,
        run_link=version.run_link,
        description=version.description,
        status=version.status,
        status_message=version.status_message,
        stage=version.stage,
        created_ms=version.created_ms,
        updated_ms=version.updated_ms,
        model_id=version.logged_model.model_id if version.logged_model else "",
        tags={each.key: each.value for each in version.tags.all()},
    )


def _with_series(runs: Iterator[Run]) -> Iterator[tuple[Run, list[Series]]]:
    block: list[Run] = []
    for run in runs:
        block.append(run)
        if len(block) == CHUNK_RUNS:
            yield from ((each, series) for each, series in zip(block, series_of(block).values(), strict=True))
            block = []
    yield from ((each, series) for each, series in zip(block, series_of(block).values(), strict=True))


def _batches(series: Sequence[Series]) -> Iterator[list[Series]]:
    """Short series together, and a long one alone, which an index gives in its order."""
    batch: list[Series] = []
    points = 0
    for each in series:
        if batch and (points + each.count > CHUNK_POINTS or len(batch) == CHUNK_SERIES // 4):
            yield batch
            batch, points = [], 0
        batch.append(each)
        points += each.count
    if batch:
        yield batch


def _dataset(used: DatasetInput) -> UsedDataset:
    found = used.dataset
    return UsedDataset(
        name=found.name,
        digest=found.digest,
        source_type=found.source_type,
        source=found.source,
        schema=found.schema,
        profile=found.profile,
        tags=[(key, value) for key, value in used.tags],
    )


def value_of(metric: LoggedModelMetric) -> ModelValue:
    """What a run logged about a model, fetched with it."""
    value = Value(metric.key, metric.step, metric.timestamp, metric.value, metric.is_nan)
    return ModelValue(metric.model.model_id, value, metric.dataset_name, metric.dataset_digest)
