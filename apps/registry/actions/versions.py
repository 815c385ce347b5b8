from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import PermissionDenied
from apps.experiments import limits
from apps.registry import access, events, facts, guards, telling
from apps.registry.actions import closing, placing
from apps.registry.actions.common import lock_version, now_ms
from apps.registry.models import ModelVersion, ModelVersionTag, RegisteredModel
from apps.registry.names import (
    MAX_DESCRIPTION,
    MAX_RUN_LINK,
    PROMPT_TEXT_TAG,
    Pair,
    checked_tag,
    checked_tags,
    says_prompt,
)
from apps.registry.numbering import store_version
from apps.registry.sources import Source, find_source, prompt_source
from apps.registry.subjects import excerpt, excerpts, version_subject
from apps.registry.uses import require_unused


def create_version(
    actor: Actor,
    *,
    model: RegisteredModel,
    source: str,
    run_id: str = "",
    run_link: str = "",
    description: str = "",
    tags: Sequence[Pair] = (),
    model_id: str = "",
) -> ModelVersion:
    """The next version of a model, made of what `source` names.

    Raises `InvalidInput` for a source that isn't canonical or lies outside of what `run_id` and `model_id` name,
    `NotFound` for one that the actor may not read, `PermissionDenied` for a project run that names another experiment.
    """
    limits.check_length("run_link", run_link, MAX_RUN_LINK)
    limits.check_length("description", description, MAX_DESCRIPTION)
    checked = checked_tags(tags)
    if says_prompt(checked):
        found = prompt_source(source, run_id)
    else:
        found = find_source(actor, model, source, run_id=run_id, model_id=model_id)
    if not access.is_of_own_experiment(actor, found.run, found.logged_model):
        raise PermissionDenied("Permission denied: a project run registers what lies in its own experiment.")
    with transaction.atomic():
        version = _unsaved(actor, model, found, run_link, description)
        store_version(version, checked)
        made = {"source": version.source, "run_id": version.run_id}
        record(actor, events.VERSION_CREATED, version_subject(version), after={**made, "tags": excerpts(checked)})
        said = {**made, "description": description, "tags": checked, "template": checked.get(PROMPT_TEXT_TAG, "")}
        _tell(actor, version, "registered", event="model_version.created", facts=said)
    return version


def describe_version(actor: Actor, *, version: ModelVersion, description: str) -> ModelVersion:
    """Another description, in Markdown."""
    limits.check_length("description", description, MAX_DESCRIPTION)
    before, after = {"description": excerpt(version.description)}, {"description": excerpt(description)}
    with transaction.atomic():
        # Requests before versions, as approvals lock them.
        facts.touch([version.pk])
        version.description, version.updated_ms = description, now_ms()
        version.save(update_fields=["description", "updated_ms"])
        record(actor, events.VERSION_DESCRIBED, version_subject(version), before=before, after=after)
    return version


def delete_version(actor: Actor, *, version: ModelVersion) -> None:
    """Remove a version and the aliases that point at it, for good. Its number never comes again.

    Raises `Conflict` where a policy governs the version's stage or one of its aliases, or where it is deployed;
    `PermissionDenied` without the right to move it out of them.
    """
    with transaction.atomic():
        fresh = lock_version(version)
        guards.require_deletable(actor, fresh)
        require_unused(fresh, "deleted")
        RegisteredModel.objects.filter(pk=fresh.model_id).update(updated_ms=now_ms())
        aliases = list(fresh.aliases.order_by("name").values_list("name", flat=True))
        before = {"source": fresh.source, "run_id": fresh.run_id, "stage": fresh.stage, "aliases": aliases}
        record(actor, events.VERSION_DELETED, version_subject(fresh), before=before)
        _tell(actor, fresh, "deleted")
        placing.leave_all(actor, version=fresh)
        closing.drop(actor, fresh.model, version=fresh)
        fresh.delete()


def set_version_tag(actor: Actor, *, version: ModelVersion, key: str, value: str) -> None:
    """Set or overwrite a tag."""
    key, value = checked_tag(key, value)
    with transaction.atomic():
        ModelVersionTag.objects.bulk_create(
            [ModelVersionTag(version=version, key=key, value=value)],
            update_conflicts=True,
            unique_fields=["version", "key"],
            update_fields=["value"],
        )
        record(actor, events.VERSION_TAG_SET, version_subject(version), after=excerpts({key: value}), note=key)
        said = {"key": key, "value": value}
        _tell(actor, version, f"set the tag {key} of", event="model_version_tag.set", facts=said)
        facts.touch([version.pk])


def delete_version_tag(actor: Actor, *, version: ModelVersion, key: str) -> None:
    """Remove a tag. One that isn't there changes nothing, as with the protocol's server."""
    limits.check_key(key)
    with transaction.atomic():
        deleted, _ = ModelVersionTag.objects.filter(version=version, key=key).delete()
        if deleted:
            record(actor, events.VERSION_TAG_DELETED, version_subject(version), note=key)
            _tell(actor, version, f"removed the tag {key} of", event="model_version_tag.deleted", facts={"key": key})
            facts.touch([version.pk])


def _tell(
    actor: Actor, version: ModelVersion, did: str, *, event: str = "", facts: Mapping[str, Any] | None = None
) -> None:
    telling.tell_of_version(actor, version, f"{actor.username} {did} {version}.", event=event, facts=facts)


def _unsaved(actor: Actor, model: RegisteredModel, found: Source, run_link: str, description: str) -> ModelVersion:
    now = now_ms()
    return ModelVersion(
        model=model,
        source=found.source,
        folder=found.folder,
        run_id=found.run_id,
        run_link=run_link,
        source_run=found.run,
        logged_model=found.logged_model,
        description=description,
        owner_id=actor.user_id,
        created_ms=now,
        updated_ms=now,
    )
