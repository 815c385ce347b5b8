"""Emptying the trash: rows first, with a note of each folder in the same transaction, then the folders.

So a crash leaves at worst a note, and the next call goes on from it; no row ever points at files that are gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import Grant, ObjectKind
from apps.audit.actions import Subject, record
from apps.audit.codes import EventCode
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError
from apps.experiments import events, holds
from apps.experiments.actions.common import now_ms
from apps.experiments.artifacts.folders import folder_at, folder_of_experiment, folder_of_logged_model, folder_of_run
from apps.experiments.holds import Things
from apps.experiments.models import (
    DatasetInput,
    DoomedFolder,
    Experiment,
    LoggedModel,
    LoggedModelMetric,
    ModelLink,
    Param,
    Point,
    Run,
    RunCreation,
    RunTag,
    Series,
)

logger = logging.getLogger(__name__)

BATCH = 50
Row = TypeVar("Row", Run, LoggedModel)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: a run, logged model, experiment or folder. `error` is empty where it is gone."""

    kind: str
    id: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to remove: all that was put into the trash before `before_ms`, or of that the items named."""

    before_ms: int
    run_ids: Collection[str] = ()
    experiment_ids: Collection[str] = ()
    by_name: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", bool(self.run_ids or self.experiment_ids))

    @property
    def experiments(self) -> QuerySet[Experiment]:
        """The experiments, with all that is in them."""
        found = Experiment.objects.filter(deleted_ms__lte=self.before_ms).select_related("team").order_by("pk")
        keys = [int(key) for key in self.experiment_ids if key.isascii() and key.isdigit() and len(key) < 19]
        return found.filter(pk__in=keys) if self.by_name else found

    @property
    def runs(self) -> QuerySet[Run]:
        """The runs that went into the trash on their own."""
        found = Run.objects.filter(deleted_ms__lte=self.before_ms).order_by("pk")
        return found.filter(run_id__in=self.run_ids) if self.by_name else found

    @property
    def models(self) -> QuerySet[LoggedModel]:
        """The logged models that went into the trash on their own."""
        found = LoggedModel.objects.filter(deleted_ms__lte=self.before_ms).order_by("pk")
        return found.none() if self.by_name else found


def empty_trash(actor: Actor, *, wanted: Wanted, dry_run: bool = False) -> Iterator[Outcome]:
    """Remove for good what is wanted, item by item; one that fails stops no other, and a later call goes on."""
    yield from _not_found(wanted)
    if dry_run:
        yield from _would_remove(wanted)
        return
    for experiment in list(wanted.experiments):
        yield from _remove_experiment(actor, experiment)
    teamed = Experiment.objects.select_related("team").order_by("pk")
    for experiment in list(teamed.filter(pk__in=wanted.runs.order_by().values("experiment"))):
        yield from _in_batches(actor, experiment, wanted.runs.filter(experiment=experiment), _remove_runs)
    for experiment in list(
        Experiment.objects.filter(logged_models__in=wanted.models).distinct().select_related("team")
    ):
        yield from _in_batches(actor, experiment, wanted.models.filter(experiment=experiment), _remove_models)
    yield from remove_doomed_folders()


def remove_doomed_folders() -> Iterator[Outcome]:
    """Remove the files of what is gone, also what an earlier call did not come to."""
    for key, uri in list(DoomedFolder.objects.order_by("pk").values_list("pk", "uri")):
        try:
            folder_at(uri).delete()
            DoomedFolder.objects.filter(pk=key).delete()
        except Exception as error:  # whatever it is, the next folder is tried, and this one again another time
            logger.exception("files of %s", uri)
            yield Outcome("files", uri, type(error).__name__)


def _not_found(wanted: Wanted) -> Iterator[Outcome]:
    """What was named and is not in the trash, or not for long enough."""
    runs = set(wanted.runs.values_list("run_id", flat=True)) if wanted.by_name else set()
    experiments = {str(key) for key in wanted.experiments.values_list("pk", flat=True)} if wanted.by_name else set()
    for kind, named, found in (("run", wanted.run_ids, runs), ("experiment", wanted.experiment_ids, experiments)):
        for each in sorted(set(named) - found):
            yield Outcome(kind, each, "is not in the trash, or not for long enough")


def _would_remove(wanted: Wanted) -> Iterator[Outcome]:
    experiments = list(wanted.experiments)
    for experiment in experiments:
        yield Outcome("experiment", str(experiment.pk))
    for run_id in wanted.runs.exclude(experiment__in=experiments).values_list("run_id", flat=True):
        yield Outcome("run", run_id)
    for model_id in wanted.models.exclude(experiment__in=experiments).values_list("model_id", flat=True):
        yield Outcome("logged_model", model_id)


def _remove_experiment(actor: Actor, experiment: Experiment) -> Iterator[Outcome]:
    failed = False
    runs, models = Run.objects.filter(experiment=experiment), LoggedModel.objects.filter(experiment=experiment)
    parts: list[tuple[QuerySet[Any], Remove]] = [(runs, _remove_runs), (models, _remove_models)]
    for rows, remove in parts:
        for outcome in _in_batches(actor, experiment, rows, remove):
            failed = failed or bool(outcome.error)
            yield outcome
    if not failed:
        yield _attempt("experiment", str(experiment.pk), lambda: _remove_empty_experiment(actor, experiment))


def _remove_empty_experiment(actor: Actor, experiment: Experiment) -> None:
    with transaction.atomic():
        # Read again under a lock: somebody may have taken it out of the trash meanwhile.
        Experiment.objects.select_for_update().exclude(deleted_ms=None).get(pk=experiment.pk)
        if Run.objects.filter(experiment=experiment).exists():
            raise Conflict("holds runs that are not in the trash")
        if not experiment.artifact_location:
            # A place that somebody chose may hold other things too; of that, the folders of its runs went before.
            _doom([folder_of_experiment(experiment).uri])
        Grant.objects.filter(kind=ObjectKind.EXPERIMENT, object_id=experiment.pk).delete()
        _record(actor, events.EXPERIMENT_PURGED, experiment, {})
        experiment.tags.all().delete()
        experiment.datasets.all().delete()
        Experiment.objects.filter(pk=experiment.pk).delete()


Remove = Callable[[Actor, Experiment, Sequence[int]], None]


def _in_batches(actor: Actor, experiment: Experiment, rows: QuerySet[Row], remove: Remove) -> Iterator[Outcome]:
    """A batch that fails is tried again one by one, so that only what can't go stays."""
    kind, name = ("run", "run_id") if rows.model is Run else ("logged_model", "model_id")
    found = list(rows.order_by("pk").values_list("pk", name))
    for start in range(0, len(found), BATCH):
        batch = found[start : start + BATCH]
        try:
            remove(actor, experiment, [key for key, _ in batch])
            yield from (Outcome(kind, each) for _, each in batch)
        except Exception:  # noqa: BLE001 - each is tried alone, and says what is wrong with it
            for key, each in batch:
                yield _attempt(kind, each, partial(remove, actor, experiment, [key]))


def _attempt(kind: str, name: str, remove: Callable[[], None]) -> Outcome:
    try:
        remove()
    except DomainError as error:
        return Outcome(kind, name, error.message)
    except Exception as error:  # one bad item must not keep the others
        logger.exception("removing %s %s", kind, name)
        return Outcome(kind, name, type(error).__name__)
    return Outcome(kind, name)


def _remove_runs(actor: Actor, experiment: Experiment, keys: Sequence[int]) -> None:
    with transaction.atomic():
        runs = list(Run.objects.select_for_update().filter(pk__in=keys).exclude(deleted_ms=None))
        keys = [run.pk for run in runs]
        holds.require_free(Things(runs=keys), "removed for good")
        for run in runs:
            run.experiment = experiment
        _doom([folder_of_run(run).uri for run in runs])
        Point.objects.filter(series__in=Series.objects.filter(run__in=keys)).delete()
        for model in (Series, Param, RunTag, DatasetInput, LoggedModelMetric, ModelLink, RunCreation):
            model.objects.filter(run__in=keys).delete()
        Run.objects.filter(pk__in=keys).delete()
        _record(actor, events.RUNS_PURGED, experiment, {"run_ids": [run.run_id for run in runs]})


def _remove_models(actor: Actor, experiment: Experiment, keys: Sequence[int]) -> None:
    """Logged models; in an experiment that goes, also those that were not in the trash on their own."""
    with transaction.atomic():
        models = list(LoggedModel.objects.select_for_update().filter(pk__in=keys))
        for model in models:
            model.experiment = experiment
        holds.require_free(Things(models=keys), "removed for good")
        _doom([folder_of_logged_model(model).uri for model in models])
        LoggedModel.objects.filter(pk__in=keys).delete()
        ids = {"model_ids": [model.model_id for model in models]}
        _record(actor, events.LOGGED_MODELS_PURGED, experiment, ids)


def _doom(uris: Sequence[str]) -> None:
    now = now_ms()
    DoomedFolder.objects.bulk_create((DoomedFolder(uri=uri, created_ms=now) for uri in uris), ignore_conflicts=True)


def _record(actor: Actor, code: EventCode, experiment: Experiment, before: dict[str, Any]) -> None:
    team = experiment.team
    subject = Subject("experiment", str(experiment.pk), experiment.name, team.pk, team.name)
    count = sum(len(ids) for ids in before.values())
    record(actor, code, subject, before=before, note=str(count) if before else "")
