from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from apps.accounts.access import require_team
from apps.accounts.models import DEFAULT_TEAM, Team
from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists
from apps.experiments import events
from apps.experiments.actions.common import Pair, now_ms
from apps.experiments.models import Experiment, ExperimentTag

DEFAULT_EXPERIMENT_NAME = "Default"


def create_experiment(actor: Actor, *, name: str, artifact_location: str = "", tags: Sequence[Pair] = ()) -> Experiment:
    """A new experiment in the team that the request speaks for. Raises `AlreadyExists`."""
    team_id = require_team(actor)
    now = now_ms()
    try:
        with transaction.atomic():
            experiment = Experiment.objects.create(
                team_id=team_id,
                name=name,
                artifact_location=artifact_location,
                owner_id=actor.user_id,
                created_ms=now,
                updated_ms=now,
            )
            ExperimentTag.objects.bulk_create(
                ExperimentTag(experiment=experiment, key=key, value=value) for key, value in dict(tags).items()
            )
            subject = Subject("experiment", str(experiment.pk), name, team_id, experiment.team.name)
            record(actor, events.EXPERIMENT_CREATED, subject)
    except IntegrityError as error:
        raise AlreadyExists(f"Experiment(name={name}) already exists.") from error
    return experiment


def default_experiment_id(actor: Actor) -> int:
    """The id of the `Default` of the actor's team, which is made on first use; 0 in the first team."""
    if actor.team_id is None:
        return 0
    found = Experiment.objects.filter(team_id=actor.team_id, name=DEFAULT_EXPERIMENT_NAME).values_list("pk", flat=True)
    existing = found.first()
    if existing is not None:
        return existing
    return _make_default(actor.team_id)


def _make_default(team_id: int) -> int:
    team = Team.objects.get(pk=team_id)
    now = now_ms()
    fixed_id = {"pk": 0} if team.name == DEFAULT_TEAM else {}
    experiment, _ = Experiment.objects.get_or_create(
        team=team, name=DEFAULT_EXPERIMENT_NAME, defaults={"created_ms": now, "updated_ms": now, **fixed_id}
    )
    return experiment.pk
