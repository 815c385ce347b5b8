"""How experiments are shared: what `apps.accounts` asks of this app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.accounts.kinds import Kind, Target, register_kind
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.experiments import access, actions
from apps.experiments.models import Experiment


def register() -> None:
    """Let experiments be shared."""
    register_kind(ObjectKind.EXPERIMENT, Kind(_find, _level_of, _by_ids, actions.remove_unused_default))


def _find(actor: Actor, reference: str, level: Level) -> Target:
    return _target(access.get_experiment(actor, reference, level))


def _level_of(actor: Actor, target: Target) -> Level:
    owned = Experiment(pk=target.object_id, team_id=target.team_id, owner_id=target.owner_id)
    return access.level_of_experiment(actor, owned)


def _by_ids(ids: Iterable[int]) -> Mapping[int, Target]:
    found = Experiment.objects.select_related("team").filter(pk__in=list(ids))
    return {experiment.pk: _target(experiment) for experiment in found}


def _target(experiment: Experiment) -> Target:
    return Target(
        kind=ObjectKind.EXPERIMENT,
        object_id=experiment.pk,
        reference=str(experiment.pk),
        name=experiment.name,
        team_id=experiment.team_id,
        team_name=experiment.team.name,
        url=f"/experiments/{experiment.pk}/",
        owner_id=experiment.owner_id,
    )
