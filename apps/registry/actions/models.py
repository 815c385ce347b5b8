from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts.access import require_team
from apps.accounts.models import Grant, ObjectKind
from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, InvalidInput
from apps.experiments import limits
from apps.notifications.actions import forget_object
from apps.registry import events, guards, telling
from apps.registry.actions import closing, placing
from apps.registry.actions.common import lock_model, now_ms
from apps.registry.actions.policies import demands_of
from apps.registry.models import RegisteredModel, RegisteredModelTag
from apps.registry.names import (
    MAX_DESCRIPTION,
    PROMPT_TAG,
    Pair,
    check_model_name,
    checked_tag,
    checked_tags,
    says_prompt,
)
from apps.registry.subjects import excerpt, excerpts, model_subject
from apps.registry.uses import require_model_unused

# How many versions of a deleted model its event names.
MAX_RECORDED = 1000


def create_model(actor: Actor, *, name: str, description: str = "", tags: Sequence[Pair] = ()) -> RegisteredModel:
    """A new model without versions in the team that the request speaks for. Raises `AlreadyExists`."""
    check_model_name(name)
    limits.check_length("description", description, MAX_DESCRIPTION)
    checked = checked_tags(tags)
    team_id = require_team(actor)
    try:
        with transaction.atomic():
            model = _make(actor, team_id, name, description, checked)
            record(actor, events.MODEL_CREATED, model_subject(model), after={"name": name, "tags": excerpts(checked)})
            facts = {"tags": checked, "description": description}
            _tell(actor, model, "created the", event="registered_model.created", facts=facts)
    except IntegrityError as error:
        raise _taken(team_id, name, is_prompt=says_prompt(checked)) from error
    return model


def rename_model(actor: Actor, *, model: RegisteredModel, name: str) -> RegisteredModel:
    """Another name, with all versions. Raises `AlreadyExists`, and as `guards.require_free` does."""
    check_model_name(name, "new_name")
    before, now = model.name, now_ms()
    try:
        with transaction.atomic():
            lock_model(model)
            guards.require_free(actor, model, "renamed")
            model.name, model.updated_ms = name, now
            model.save(update_fields=["name", "updated_ms"])
            model.versions.update(updated_ms=now)
            record(actor, events.MODEL_RENAMED, model_subject(model), before={"name": before}, after={"name": name})
            telling.tell_of_model(actor, model, f"{actor.username} renamed the {_kind(model)} {before} to {name}.")
    except IntegrityError as error:
        model.name = before
        raise AlreadyExists(f"Registered Model (name={name}) already exists.") from error
    return model


def describe_model(actor: Actor, *, model: RegisteredModel, description: str) -> RegisteredModel:
    """Another description, in Markdown."""
    limits.check_length("description", description, MAX_DESCRIPTION)
    before, after = {"description": excerpt(model.description)}, {"description": excerpt(description)}
    with transaction.atomic():
        model.description, model.updated_ms = description, now_ms()
        model.save(update_fields=["description", "updated_ms"])
        record(actor, events.MODEL_DESCRIBED, model_subject(model), before=before, after=after)
    return model


def delete_model(actor: Actor, *, model: RegisteredModel) -> None:
    """Remove a model with all its versions, for good; its history stays.

    Raises as `guards.require_free` does, and `Conflict` where one of its versions is deployed.
    """
    with transaction.atomic():
        lock_model(model)
        policies = {str(policy.slot): demands_of(policy) for policy in guards.require_free(actor, model, "deleted").own}
        require_model_unused(model, "deleted")
        closing.drop(actor, model)
        placing.leave_all(actor, model=model)
        before = {"name": model.name} | ({"policies": policies} if policies else {})
        record(actor, events.MODEL_DELETED, model_subject(model), before=before)
        _tell(actor, model, "deleted the")
        forget_object(actor, kind=ObjectKind.REGISTERED_MODEL, object_id=model.pk)
        Grant.objects.filter(kind=ObjectKind.REGISTERED_MODEL, object_id=model.pk).delete()
        model.delete()


def set_model_tag(actor: Actor, *, model: RegisteredModel, key: str, value: str) -> None:
    """Set or overwrite a tag."""
    key, value = checked_tag(key, value)
    if key == PROMPT_TAG and says_prompt({key: value}) != model.is_prompt:
        raise _prompt_for_good()
    with transaction.atomic():
        RegisteredModelTag.objects.bulk_create(
            [RegisteredModelTag(model=model, key=key, value=value)],
            update_conflicts=True,
            unique_fields=["model", "key"],
            update_fields=["value"],
        )
        record(actor, events.MODEL_TAG_SET, model_subject(model), after=excerpts({key: value}), note=key)
        event = "prompt_tag.set" if model.is_prompt else ""
        _tell(actor, model, f"set the tag {key} of the", event=event, facts={"key": key, "value": value})


def delete_model_tag(actor: Actor, *, model: RegisteredModel, key: str) -> None:
    """Remove a tag. One that isn't there changes nothing, as with the protocol's server."""
    limits.check_key(key)
    if key == PROMPT_TAG and model.is_prompt:
        raise _prompt_for_good()
    with transaction.atomic():
        deleted, _ = RegisteredModelTag.objects.filter(model=model, key=key).delete()
        if deleted:
            record(actor, events.MODEL_TAG_DELETED, model_subject(model), note=key)
            event = "prompt_tag.deleted" if model.is_prompt else ""
            _tell(actor, model, f"removed the tag {key} of the", event=event, facts={"key": key})


def _make(actor: Actor, team_id: int, name: str, description: str, tags: Mapping[str, str]) -> RegisteredModel:
    now = now_ms()
    model = RegisteredModel.objects.create(
        team_id=team_id,
        name=name,
        description=description,
        is_prompt=says_prompt(tags),
        owner_id=actor.user_id,
        created_ms=now,
        updated_ms=now,
    )
    RegisteredModelTag.objects.bulk_create(
        RegisteredModelTag(model=model, key=key, value=value) for key, value in tags.items()
    )
    return model


def _tell(
    actor: Actor, model: RegisteredModel, did: str, *, event: str = "", facts: Mapping[str, Any] | None = None
) -> None:
    text = f"{actor.username} {did} {_kind(model)} {model.name}."
    telling.tell_of_model(actor, model, text, event=event, facts=facts)


def _kind(model: RegisteredModel) -> str:
    return "prompt" if model.is_prompt else "registered model"


def _taken(team_id: int, name: str, *, is_prompt: bool) -> AlreadyExists:
    there = RegisteredModel.objects.filter(team_id=team_id, name=name).values_list("is_prompt", flat=True).first()
    wanted = "Prompt" if is_prompt else "Registered Model"
    if there is None or there == is_prompt:
        return AlreadyExists(f"{wanted} (name={name}) already exists.")
    other = "registered model" if is_prompt else "prompt"
    return AlreadyExists(
        f"Tried to create a {wanted.lower()} with name {name!r}, but the name is already taken by a {other}. MLflow "
        "does not allow creating a model and a prompt with the same name."
    )


def _prompt_for_good() -> InvalidInput:
    return InvalidInput(f"'{PROMPT_TAG}' says when it is created whether it is a prompt, and stays.")
