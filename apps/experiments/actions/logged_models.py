"""Logged models: data that scripts log, but for putting one into the trash, which is an event."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import InvalidInput, NotFound
from apps.experiments import events, holds, limits
from apps.experiments.access import require_active_experiment
from apps.experiments.actions.common import Pair, now_ms
from apps.experiments.holds import Things
from apps.experiments.models import Experiment, LoggedModel, LoggedModelParam, LoggedModelStatus, LoggedModelTag
from apps.experiments.run_names import random_run_name

MAX_NAME_LENGTH = 500
MAX_VALUE_LENGTH = 100_000

_FORBIDDEN = ("/", ":", ".", "%", '"', "'")


def create_logged_model(
    actor: Actor,
    *,
    experiment: Experiment,
    name: str = "",
    model_type: str = "",
    source_run_id: str = "",
    params: Sequence[Pair] = (),
    tags: Sequence[Pair] = (),
) -> LoggedModel:
    """A new, pending model; an empty name is replaced by a random one. Raises `InvalidInput`."""
    _check_name(name)
    _check_pairs("params", params, MAX_VALUE_LENGTH)
    _check_pairs("tags", tags, MAX_VALUE_LENGTH)
    limits.check_length("model_type", model_type, 500)
    limits.check_length("source_run_id", source_run_id, 36)
    require_active_experiment(experiment)
    limits.check_unique_params([key for key, _ in params])
    now = now_ms()
    with transaction.atomic():
        model = LoggedModel.objects.create(
            model_id=f"m-{uuid.uuid4().hex}",
            experiment=experiment,
            name=name or random_run_name(),
            model_type=model_type,
            source_run_id=source_run_id,
            owner_id=actor.user_id,
            created_ms=now,
            updated_ms=now,
        )
        LoggedModelParam.objects.bulk_create(LoggedModelParam(model=model, key=key, value=v) for key, v in params)
        LoggedModelTag.objects.bulk_create(LoggedModelTag(model=model, key=k, value=v) for k, v in dict(tags).items())
    return model


def finalize_logged_model(actor: Actor, *, model: LoggedModel, status: LoggedModelStatus) -> None:
    """Say how the upload of its files ended."""
    model.status, model.updated_ms = status, now_ms()
    LoggedModel.objects.filter(pk=model.pk).update(status=status, updated_ms=model.updated_ms)


def delete_logged_model(actor: Actor, *, model: LoggedModel) -> None:
    """Put it into the trash. Twice changes nothing. Raises `Conflict` where a version stands on it."""
    holds.require_free(Things(models=(model.pk,)), "deleted")
    team = model.experiment.team
    now = now_ms()
    with transaction.atomic():
        if LoggedModel.objects.filter(pk=model.pk, deleted_ms__isnull=True).update(deleted_ms=now, updated_ms=now):
            subject = Subject("logged_model", model.model_id, model.name, team.pk, team.name)
            record(actor, events.LOGGED_MODEL_DELETED, subject)


def set_logged_model_tags(actor: Actor, *, model: LoggedModel, tags: Sequence[Pair]) -> None:
    """Set or overwrite tags."""
    _check_pairs("tags", tags, MAX_VALUE_LENGTH)
    LoggedModelTag.objects.bulk_create(
        (LoggedModelTag(model=model, key=key, value=value) for key, value in dict(tags).items()),
        update_conflicts=True,
        unique_fields=["model", "key"],
        update_fields=["value"],
    )


def delete_logged_model_tag(actor: Actor, *, model: LoggedModel, key: str) -> None:
    """Remove a tag. Raises `NotFound` where there is none."""
    deleted, _ = LoggedModelTag.objects.filter(model=model, key=key).delete()
    if not deleted:
        raise NotFound(f"No tag with key '{key}' found for model with ID '{model.model_id}'.")


def log_logged_model_params(actor: Actor, *, model: LoggedModel, params: Sequence[Pair]) -> None:
    """Add params, which are written once. Raises `InvalidInput` for another value than one has."""
    _check_pairs("params", params, MAX_VALUE_LENGTH)
    limits.check_unique_params([key for key, _ in params])
    with transaction.atomic():
        LoggedModelParam.objects.bulk_create(
            (LoggedModelParam(model=model, key=key, value=value) for key, value in params), ignore_conflicts=True
        )
        stored = dict(LoggedModelParam.objects.filter(model=model, key__in=dict(params)).values_list("key", "value"))
        changed = [key for key, value in params if stored[key] != value]
        if changed:
            raise InvalidInput(f"Changing param values is not allowed. Already logged with another value: {changed}")


def _check_name(name: str) -> None:
    if any(character in name for character in _FORBIDDEN):
        raise InvalidInput(
            f"Invalid model name ({name[:500]!r}) provided. Model name must be a non-empty string and cannot contain "
            f"the following characters: {_FORBIDDEN}"
        )
    limits.check_length("name", name, MAX_NAME_LENGTH)


def _check_pairs(what: str, pairs: Sequence[Pair], longest: int) -> None:
    for index, (key, value) in enumerate(pairs):
        limits.check_length(f"{what}[{index}].key", key, limits.MAX_KEY_LENGTH)
        limits.check_length(f"{what}[{index}].value", value, longest)
