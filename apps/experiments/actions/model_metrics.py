"""Metrics that a run logs for a logged model, perhaps on a dataset: kept with the model too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.accounts.access import require
from apps.core.actor import Actor, Level
from apps.core.errors import NotFound
from apps.experiments import ingest, limits
from apps.experiments.access import level_of_experiment
from apps.experiments.hot import Reach
from apps.experiments.ingest import Batch, Stored, Value
from apps.experiments.models import LoggedModel, LoggedModelMetric


@dataclass(frozen=True, slots=True)
class ModelValue:
    """A value, the id of the model it is about, and the dataset where one is named."""

    model_id: str
    value: Value
    dataset_name: str = ""
    dataset_digest: str = ""


def store_with_model_values(
    actor: Actor, of_models: Sequence[ModelValue], run_id: str, batch: Batch, reach: Reach
) -> Stored | None:
    """As `ingest.store`, with the models' share in the same transaction. Raises `NotFound` for an unknown model."""
    for of_model in of_models:
        limits.check_length("dataset_name", of_model.dataset_name, 500)
        limits.check_length("dataset_digest", of_model.dataset_digest, 36)

    def once() -> Stored | None:
        with transaction.atomic():
            stored = ingest.store(run_id, batch, reach)
            if stored is not None and not stored.clashes:
                _insert(stored.run_pk, of_models, _models(actor, of_models))
        return stored

    return ingest.with_retries(once)


def _models(actor: Actor, of_models: Sequence[ModelValue]) -> dict[str, int]:
    """The models' row keys by id. All have to be there and editable."""
    wanted = {of_model.model_id for of_model in of_models}
    found = LoggedModel.objects.active().filter(model_id__in=wanted).select_related("experiment")
    by_id = {model.model_id: model for model in found}
    experiments = {}
    for model_id in sorted(wanted):
        missing = f"Logged model with ID '{model_id}' not found."
        if model_id not in by_id:
            raise NotFound(missing)
        experiments[by_id[model_id].experiment_id] = (by_id[model_id].experiment, missing)
    for experiment, missing in experiments.values():
        require(level_of_experiment(actor, experiment), Level.EDIT, missing=missing, doing="edit this model")
    return {model_id: model.pk for model_id, model in by_id.items()}


def row_of(run_pk: int, model_pk: int, of_model: ModelValue) -> LoggedModelMetric:
    """A value about a logged model, as it is stored."""
    value = of_model.value
    return LoggedModelMetric(
        model_id=model_pk,
        run_id=run_pk,
        key=value.key,
        value=value.value,
        is_nan=value.is_nan,
        step=value.step,
        timestamp=value.timestamp,
        dataset_name=of_model.dataset_name,
        dataset_digest=of_model.dataset_digest,
    )


def _insert(run_pk: int, of_models: Sequence[ModelValue], models: dict[str, int]) -> None:
    LoggedModelMetric.objects.bulk_create(
        [row_of(run_pk, models[of_model.model_id], of_model) for of_model in of_models], ignore_conflicts=True
    )
