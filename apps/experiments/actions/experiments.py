from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.accounts.access import require_team
from apps.accounts.models import DEFAULT_TEAM, Team
from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, NotFound, PermissionDenied
from apps.experiments import events, holds, limits
from apps.experiments.access import require_active_experiment
from apps.experiments.actions.common import Pair, now_ms
from apps.experiments.artifact_locations import check_artifact_location
from apps.experiments.holds import Things
from apps.experiments.models import Experiment, ExperimentTag, Run

DEFAULT_EXPERIMENT_NAME = "Default"


def create_experiment(actor: Actor, *, name: str, artifact_location: str = "", tags: Sequence[Pair] = ()) -> Experiment:
    """A new experiment in the team that the request speaks for. Raises `AlreadyExists`, also for one in the trash."""
    if actor.confined is not None:
        raise PermissionDenied("Permission denied: a project run logs into its own experiment.")
    limits.check_length("name", name, limits.MAX_EXPERIMENT_NAME_LENGTH)
    check_artifact_location(artifact_location)
    checked = dict(limits.checked_experiment_tag(key, value) for key, value in tags)
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
                ExperimentTag(experiment=experiment, key=key, value=value) for key, value in checked.items()
            )
            record(actor, events.EXPERIMENT_CREATED, _subject(experiment))
    except IntegrityError as error:
        raise _taken(name) from error
    return experiment


def rename_experiment(actor: Actor, *, experiment: Experiment, name: str) -> None:
    """Give it another name. Raises `AlreadyExists`, and `Conflict` while it is in the trash."""
    limits.check_length("name", name, limits.MAX_EXPERIMENT_NAME_LENGTH)
    now = now_ms()
    subject = replace(_subject(experiment), name=name)
    try:
        with transaction.atomic():
            if not Experiment.objects.active().filter(pk=experiment.pk).update(name=name, updated_ms=now):
                raise Conflict("Cannot rename a non-active experiment.")
            change = {"before": {"name": experiment.name}, "after": {"name": name}}
            record(actor, events.EXPERIMENT_RENAMED, subject, before=change["before"], after=change["after"])
    except IntegrityError as error:
        raise _taken(name) from error
    experiment.name, experiment.updated_ms = name, now


def delete_experiment(actor: Actor, *, experiment: Experiment) -> None:
    """Put it into the trash with all its runs.

    Raises `NotFound` for one that is there already, `Conflict` where a version stands on one of its runs or models.
    """
    holds.require_free(Things(experiments=(experiment.pk,)), "deleted")
    _move(actor, experiment, deleted_ms=now_ms())


def restore_experiment(actor: Actor, *, experiment: Experiment) -> None:
    """Take it out of the trash with all its runs. Raises `NotFound` for one that isn't there."""
    _move(actor, experiment, deleted_ms=None)


def set_experiment_tag(actor: Actor, *, experiment: Experiment, key: str, value: str) -> None:
    """Set or overwrite a tag."""
    key, value = limits.checked_experiment_tag(key, value)
    require_active_experiment(experiment)
    with transaction.atomic():
        ExperimentTag.objects.bulk_create(
            [ExperimentTag(experiment=experiment, key=key, value=value)],
            update_conflicts=True,
            unique_fields=["experiment", "key"],
            update_fields=["value"],
        )
        record(actor, events.EXPERIMENT_TAG_SET, _subject(experiment), after={key: value}, note=key)


def delete_experiment_tag(actor: Actor, *, experiment: Experiment, key: str) -> None:
    """Remove a tag. Raises `NotFound` where there is none."""
    require_active_experiment(experiment)
    with transaction.atomic():
        deleted, _ = ExperimentTag.objects.filter(experiment=experiment, key=key).delete()
        if not deleted:
            raise NotFound(f"No tag with name: {key} in experiment with id {experiment.pk}")
        record(actor, events.EXPERIMENT_TAG_DELETED, _subject(experiment), note=key)


def default_experiment_id(actor: Actor) -> int:
    """The id of the `Default` of the actor's team, which is made on first use; 0 in the first team.

    A project run makes none: it is answered with -1, which nothing has.
    """
    if actor.team_id is None:
        return 0
    # The first team's keeps the id 0 under any name.
    candidates = Experiment.objects.filter(Q(pk=0) | Q(name=DEFAULT_EXPERIMENT_NAME), team_id=actor.team_id)
    existing = candidates.order_by("pk").values_list("pk", flat=True).first()
    if existing is None and actor.confined is not None:
        return -1
    return existing if existing is not None else _make_default(actor.team_id)


def remove_unused_default(team_id: int) -> None:
    """Remove the `Default` that was made by itself, before its team is deleted. One that holds something stays."""
    made = Experiment.objects.filter(team_id=team_id, name=DEFAULT_EXPERIMENT_NAME)
    made.filter(runs__isnull=True, logged_models__isnull=True).delete()


def _make_default(team_id: int) -> int:
    team = Team.objects.get(pk=team_id)
    now = now_ms()
    fixed_id = {"pk": 0} if team.name == DEFAULT_TEAM else {}
    experiment, _ = Experiment.objects.get_or_create(
        team=team, name=DEFAULT_EXPERIMENT_NAME, defaults={"created_ms": now, "updated_ms": now, **fixed_id}
    )
    return experiment.pk


def _move(actor: Actor, experiment: Experiment, *, deleted_ms: int | None) -> None:
    """As the protocol's server does, all runs follow, also those that were moved before on their own."""
    code = events.EXPERIMENT_RESTORED if deleted_ms is None else events.EXPERIMENT_DELETED
    now = now_ms()
    with transaction.atomic():
        still = Experiment.objects.filter(pk=experiment.pk, deleted_ms__isnull=deleted_ms is not None)
        if not still.update(deleted_ms=deleted_ms, updated_ms=now):
            raise NotFound(f"No Experiment with id={experiment.pk} exists")
        Run.objects.filter(experiment=experiment).update(deleted_ms=deleted_ms)
        record(actor, code, _subject(experiment))
    experiment.deleted_ms, experiment.updated_ms = deleted_ms, now


def _subject(experiment: Experiment) -> Subject:
    return Subject("experiment", str(experiment.pk), experiment.name, experiment.team_id, experiment.team.name)


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists(f"Experiment(name={name}) already exists.")
