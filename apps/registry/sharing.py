"""How registered models are shared: what `apps.accounts` asks of this app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.accounts.kinds import Kind, Target, register_kind
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.core.keys import parse_key
from apps.registry import access
from apps.registry.addresses import model_url
from apps.registry.models import RegisteredModel

# No name of a model has a colon.
_PREFIX = "id:"
LEVELS = (Level.READ, Level.EDIT, Level.STAGING, Level.PRODUCTION, Level.MANAGE)


def register() -> None:
    """Let registered models be shared."""
    answers = Kind(_find, _level_of, _by_ids, levels=LEVELS, most_grantable=_most_grantable, key_of=_key)
    register_kind(ObjectKind.REGISTERED_MODEL, answers)


def _key(model_id: int) -> str:
    return f"{_PREFIX}{model_id}"


def _find(actor: Actor, reference: str, level: Level) -> Target:
    """By name, as the protocol's permission routes do, or by key, which no name can be."""
    key = parse_key(reference.removeprefix(_PREFIX)) if reference.startswith(_PREFIX) else None
    if key is not None:
        return _target(access.get_model_by_id(actor, key, level))
    return _target(access.get_model(actor, reference, level))


def _level_of(actor: Actor, target: Target) -> Level:
    return access.level_of_model(actor, _model(target))


def _most_grantable(actor: Actor, target: Target) -> Level:
    """Who made a model shares it for editing; rights over its stages come from those who hold them."""
    return max(Level.EDIT, access.stage_level(actor, _model(target)))


def _model(target: Target) -> RegisteredModel:
    return RegisteredModel(pk=target.object_id, team_id=target.team_id, owner_id=target.owner_id)


def _by_ids(ids: Iterable[int]) -> Mapping[int, Target]:
    found = RegisteredModel.objects.select_related("team").filter(pk__in=list(ids))
    return {model.pk: _target(model) for model in found}


def _target(model: RegisteredModel) -> Target:
    return Target(
        kind=ObjectKind.REGISTERED_MODEL,
        object_id=model.pk,
        reference=model.name,
        key=_key(model.pk),
        name=model.name,
        team_id=model.team_id,
        team_name=model.team.name,
        url=model_url(model),
        owner_id=model.owner_id,
    )
