"""What a run used and made: datasets and logged models. Data, and so no audit events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q

from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.experiments import live
from apps.experiments.access import require_active
from apps.experiments.actions.common import Pair
from apps.experiments.limits import check_length
from apps.experiments.models import Dataset, DatasetInput, LoggedModel, ModelLink, Run, RunTag

CONTEXT_TAG = "mlflow.data.context"
MODEL_HISTORY_TAG = "mlflow.log-model.history"

_LIMITS = {"name": 500, "digest": 36, "source_type": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}
_MAX_TAG_KEY = 255
_MAX_TAG_VALUE = 500


@dataclass(frozen=True, slots=True)
class UsedDataset:
    """A dataset as the client describes it, and the tags of this use of it."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None
    tags: Sequence[Pair] = field(default=())

    @property
    def key(self) -> Pair:
        """What tells it from others of the experiment."""
        return self.name, self.digest


def log_inputs(actor: Actor, *, run: Run, datasets: Sequence[UsedDataset] = (), model_ids: Iterable[str] = ()) -> None:
    """Note what the run used. What is known already stays as it was first logged. Raises `NotFound` for a model."""
    require_active(run)
    by_key: dict[Pair, UsedDataset] = {}
    for used in datasets:
        _check(used)
        by_key.setdefault(used.key, used)
    with transaction.atomic():
        _add_datasets(run, by_key)
        _link(actor, run, ModelLink.Direction.INPUT, dict.fromkeys(model_ids, 0))
        transaction.on_commit(partial(live.touch, run.run_id, "datasets"))


def log_outputs(actor: Actor, *, run: Run, steps: dict[str, int]) -> None:
    """Note the models that the run made, by id, and at which step. Logging again sets the step."""
    require_active(run)
    with transaction.atomic():
        _link(actor, run, ModelLink.Direction.OUTPUT, steps)
        transaction.on_commit(partial(live.touch, run.run_id, "artifacts"))


def record_model(actor: Actor, *, run: Run, model: dict[str, Any]) -> None:
    """Append to the history of models that clients before 3.0 keep in a tag of the run."""
    require_active(run)
    with transaction.atomic():
        # The lock makes two calls at once append both.
        Run.objects.select_for_update().filter(pk=run.pk).first()
        previous = RunTag.objects.filter(run=run, key=MODEL_HISTORY_TAG).values_list("value", flat=True).first()
        value = orjson.dumps([*_history(previous), model]).decode()
        RunTag.objects.update_or_create(run=run, key=MODEL_HISTORY_TAG, defaults={"value": value})
        transaction.on_commit(partial(live.touch, run.run_id, "tags"))


def _add_datasets(run: Run, by_key: dict[Pair, UsedDataset]) -> None:
    if not by_key:
        return
    Dataset.objects.bulk_create((_row(run, used) for used in by_key.values()), ignore_conflicts=True)
    names, digests = {name for name, _ in by_key}, {digest for _, digest in by_key}
    found = Dataset.objects.filter(experiment_id=run.experiment_id, name__in=names, digest__in=digests)
    ids = {(name, digest): pk for pk, name, digest in found.values_list("pk", "name", "digest")}
    # The order of the call is the order that the run shows.
    ordered = [(ids[key], dict(used.tags)) for key, used in by_key.items()]
    DatasetInput.objects.bulk_create(
        (
            DatasetInput(run=run, dataset_id=pk, tags=list(tags.items()), context=tags.get(CONTEXT_TAG, ""))
            for pk, tags in ordered
        ),
        ignore_conflicts=True,
    )


def _row(run: Run, used: UsedDataset) -> Dataset:
    return Dataset(
        experiment_id=run.experiment_id,
        name=used.name,
        digest=used.digest,
        source_type=used.source_type,
        source=used.source,
        schema=used.schema,
        profile=used.profile,
    )


def _link(actor: Actor, run: Run, direction: ModelLink.Direction, steps: dict[str, int]) -> None:
    if not steps:
        return
    known = Q(pk__in=LoggedModel.objects.visible_to(actor).values("pk"))
    keys = dict(LoggedModel.objects.filter(known, model_id__in=steps).values_list("model_id", "pk"))
    for model_id in steps:
        if model_id not in keys:
            raise NotFound(f"Logged model with ID '{model_id}' not found.")
    ModelLink.objects.bulk_create(
        (ModelLink(run=run, model_id=keys[key], direction=direction, step=step) for key, step in steps.items()),
        update_conflicts=True,
        unique_fields=["run", "direction", "model"],
        update_fields=["step"],
    )


def _check(used: UsedDataset) -> None:
    for name, limit in _LIMITS.items():
        check_length(name, getattr(used, name) or "", limit)
    for key, value in used.tags:
        check_length("key", key, _MAX_TAG_KEY)
        check_length("value", value, _MAX_TAG_VALUE)


def _history(text: str | None) -> list[Any]:
    """The models so far; the tag is the client's to overwrite, so it may hold anything."""
    try:
        value = orjson.loads(text or "[]")
    except orjson.JSONDecodeError:
        return []
    return value if isinstance(value, list) else []
