"""What scripts log into a run: values of metrics, params, tags. Data, and so no audit events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from django.db import transaction

from apps.core.actor import Actor, Level
from apps.core.errors import InvalidInput, NotFound
from apps.experiments import counting, ingest, limits, live
from apps.experiments.access import get_run, reach_of, require_active
from apps.experiments.actions.common import Pair
from apps.experiments.actions.model_metrics import ModelValue, store_with_model_values
from apps.experiments.hot import ANYWHERE
from apps.experiments.ingest import PARENT_TAG, RUN_NAME_TAG, Batch, Stored, Value
from apps.experiments.models import Run, RunTag


def log_metric(actor: Actor, *, run_id: str, value: Value, of_model: ModelValue | None = None) -> None:
    """One value of a metric. Logging the same again changes nothing."""
    limits.check_metric(value.key, _shown(value), value.timestamp)
    _store(actor, run_id, Batch(values=[value]), [of_model] if of_model else [])


def log_param(actor: Actor, *, run_id: str, key: str, value: str) -> None:
    """A param, which is written once. Raises `InvalidInput` for another value than it has."""
    key, value = limits.checked_param(key, value)
    stored = _store(actor, run_id, Batch(params={key: value}))
    if key in stored.clashes:
        raise InvalidInput(
            f"Changing param values is not allowed. Param with key='{key}' was already logged with "
            f"value='{stored.clashes[key]}' for run ID='{run_id}'. Attempted logging new value '{value}'."
        )


def set_tag(actor: Actor, *, run_id: str, key: str, value: str) -> None:
    """Set or overwrite a tag; `mlflow.runName` renames the run."""
    _store(actor, run_id, Batch(tags=_effective([limits.checked_tag(key, value)])))


def delete_tag(actor: Actor, *, run_id: str, key: str) -> None:
    """Remove a tag. Raises `NotFound` where there is none."""
    run = get_run(actor, run_id, Level.EDIT)
    require_active(run)
    with transaction.atomic():
        deleted, _ = RunTag.objects.filter(run=run, key=key).delete()
        if not deleted:
            raise NotFound(f"No tag with name: {key} in run with id {run_id}")
        if key == PARENT_TAG:
            Run.objects.filter(pk=run.pk).update(parent_run_id="")
        transaction.on_commit(partial(live.touch, run_id, "tags"))


def log_batch(
    actor: Actor,
    *,
    run_id: str,
    values: Sequence[Value] = (),
    params: Sequence[Pair] = (),
    tags: Sequence[Pair] = (),
    of_models: Sequence[ModelValue] = (),
) -> None:
    """Values, params and tags in one transaction: all of it is stored, or nothing."""
    limits.check_run_id(run_id)
    for index, value in enumerate(values):
        limits.check_metric(value.key, _shown(value), value.timestamp, f"metrics[{index}].")
    checked_params = [limits.checked_param(*pair, f"params[{index}].") for index, pair in enumerate(params)]
    checked_tags = [limits.checked_tag(*pair, f"tags[{index}].") for index, pair in enumerate(tags)]
    limits.check_batch(len(values), len(params), len(tags))
    limits.check_unique_params([key for key, _ in params])
    batch = Batch(ingest.unique(values), dict(checked_params), _effective(checked_tags))
    stored = _store(actor, run_id, batch, of_models)
    if stored.clashes:
        raise InvalidInput(_changed_params(run_id, batch, stored))


def _store(actor: Actor, run_id: str, batch: Batch, of_models: Sequence[ModelValue] = ()) -> Stored:
    store = partial(store_with_model_values, actor, of_models) if of_models else ingest.store
    stored = store(run_id, batch, reach_of(actor, Level.EDIT))
    if stored is None:
        # Out of reach by role: a grant may give it, else this says what is wrong.
        require_active(get_run(actor, run_id, Level.EDIT))
        stored = store(run_id, batch, ANYWHERE)
    if stored is None:
        raise NotFound(f"Run with id={run_id} not found")
    if not stored.clashes:
        counting.count(batch)
        _touch(run_id, batch)
    return stored


def _touch(run_id: str, batch: Batch) -> None:
    if batch.values:
        transaction.on_commit(partial(live.touch, run_id, "metrics"))
    if batch.params:
        transaction.on_commit(partial(live.touch, run_id, "params"))
    if batch.tags:
        transaction.on_commit(partial(live.touch, run_id, "tags"))


def _effective(tags: Iterable[Pair]) -> dict[str, str]:
    """The tags to write: the last of each key, and no empty name for the run."""
    effective = dict(tags)
    if RUN_NAME_TAG in effective:
        limits.check_length("run_name", effective[RUN_NAME_TAG], limits.MAX_RUN_NAME_LENGTH)
        if not effective[RUN_NAME_TAG]:
            del effective[RUN_NAME_TAG]
    return effective


def _shown(value: Value) -> float:
    return float("nan") if value.is_nan else value.value


def _changed_params(run_id: str, batch: Batch, stored: Stored) -> str:
    changed = [
        {"key": key, "old_value": stored.clashes[key], "new_value": value}
        for key, value in batch.params.items()
        if key in stored.clashes
    ]
    return f"Changing param values is not allowed. Params were already logged='{changed}' for run ID='{run_id}'."
