"""Bringing over what another registry kept: a model with its versions and their numbers in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from django.db import transaction

from apps.accounts.access import require_admin, require_team
from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError
from apps.experiments.foreign import ORIGIN_TAG
from apps.registry import events
from apps.registry.actions.aliases import set_alias
from apps.registry.actions.common import lock_model
from apps.registry.actions.stages import move_version
from apps.registry.foreign import ForeignModel, ForeignVersion
from apps.registry.models import ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag, VersionStatus
from apps.registry.names import check_model_name, says_prompt
from apps.registry.sources import Source, find_source, prompt_source
from apps.registry.stages import Stage
from apps.registry.subjects import model_subject

# Called with what could not be brought over as it was there.
Say = Callable[[str], None]


def adopt_model(actor: Actor, *, model: ForeignModel, origin: str, say: Say) -> tuple[bool, int]:
    """A model of another server in the actor's team: whether it is new, and how many versions are.

    Where it came over before, versions are added that have a number beyond those that were ever given here. Stages and
    aliases are moved as the policies allow: what a policy governs is left where it begins, and said. A version whose
    files are not here is broken, as one that names none. Raises `Conflict` for a model that was made here.
    """
    require_admin(actor)
    check_model_name(model.name)
    team_id = require_team(actor)
    with transaction.atomic():
        found = RegisteredModel.objects.filter(team_id=team_id, name=model.name).select_related("team").first()
        if found is not None:
            _require_same(found, origin)
            lock_model(found)
        here = found or _make(team_id, model, origin)
        fresh = [each for each in model.versions if found is None or each.number > found.last_number]
        versions = [_add_version(actor, here, each, say) for each in fresh]
        last = max([here.last_number, model.last_number, *(each.number for each in fresh)])
        RegisteredModel.objects.filter(pk=here.pk).update(last_number=last)
        if found is None or fresh:
            after = {"from": origin, "versions": [each.number for each in fresh]}
            record(actor, events.MODEL_IMPORTED, model_subject(here), after=after, note=str(len(fresh)))
        _place(actor, here, model, versions, f"Imported from {origin}", say)
        _restore_times(model, here, fresh)
    return found is None, len(fresh)


def _require_same(found: RegisteredModel, origin: str) -> None:
    if not RegisteredModelTag.objects.filter(model=found, key=ORIGIN_TAG, value=origin).exists():
        raise Conflict("a model of this name is here already, and did not come from there: rename one of them")


def _make(team_id: int, model: ForeignModel, origin: str) -> RegisteredModel:
    made = RegisteredModel.objects.create(
        team_id=team_id,
        name=model.name,
        description=model.description,
        is_prompt=says_prompt(model.tags),
        created_ms=model.created_ms,
        updated_ms=model.updated_ms,
    )
    tags = {**model.tags, ORIGIN_TAG: origin}
    RegisteredModelTag.objects.bulk_create(RegisteredModelTag(model=made, key=k, value=v) for k, v in tags.items())
    return RegisteredModel.objects.select_related("team").get(pk=made.pk)


def _add_version(actor: Actor, model: RegisteredModel, foreign: ForeignVersion, say: Say) -> ModelVersion:
    found = _source(actor, model, foreign, say)
    known = foreign.status in VersionStatus.values
    version = ModelVersion.objects.create(
        model=model,
        number=foreign.number,
        source=found.source,
        folder=found.folder,
        run_id=found.run_id,
        run_link=foreign.run_link,
        source_run=found.run,
        logged_model=found.logged_model,
        description=foreign.description,
        status=foreign.status if known else VersionStatus.READY,
        status_message=foreign.status_message,
        created_ms=foreign.created_ms,
        updated_ms=foreign.updated_ms,
    )
    ModelVersionTag.objects.bulk_create(
        ModelVersionTag(version=version, key=key, value=value) for key, value in foreign.tags.items()
    )
    return version


def _source(actor: Actor, model: RegisteredModel, foreign: ForeignVersion, say: Say) -> Source:
    label = foreign.run_id[:36]
    try:
        if model.is_prompt:
            return prompt_source(foreign.source, label)
        found = find_source(actor, model, foreign.source)
        lender = found.run or found.logged_model
        if lender is not None and lender.experiment.team_id != model.team_id:
            # An operator imports for all, and yet nobody of that team was asked.
            raise Conflict("they are of another team, which did not lend them")
        return replace(found, run_id=label or found.run_id)
    except DomainError as error:
        say(f"version {foreign.number} of the model '{model.name}' has no files here: {error.message}")
        return Source(foreign.source[:2000], run_id=label)


def _place(
    actor: Actor,
    model: RegisteredModel,
    foreign: ForeignModel,
    versions: Sequence[ModelVersion],
    reason: str,
    say: Say,
) -> None:
    stages = {each.number: each.stage for each in foreign.versions}
    by_number = {version.number: version for version in versions}
    for number, version in by_number.items():
        if stages[number] != Stage.NONE:
            move = partial(move_version, actor, version=version, stage=stages[number], comment=reason)
            _try(f"stage {stages[number]}", version, say, move)
    for alias, number in foreign.aliases.items():
        if number in by_number:
            version = by_number[number]
            point = partial(set_alias, actor, model=model, alias=alias, version=version, reason=reason)
            _try(f"alias @{alias}", version, say, point)


def _try(what: str, version: ModelVersion, say: Say, move: Callable[[], object]) -> None:
    try:
        with transaction.atomic():
            move()
    except DomainError as error:
        say(f"{version} did not get its {what}: {error.message}")


def _restore_times(model: ForeignModel, here: RegisteredModel, fresh: Sequence[ForeignVersion]) -> None:
    """Moving touches what it moves; these are not changes of now."""
    for each in fresh:
        ModelVersion.objects.filter(model=here, number=each.number).update(updated_ms=each.updated_ms)
    RegisteredModel.objects.filter(pk=here.pk).update(updated_ms=max(here.updated_ms, model.updated_ms))
