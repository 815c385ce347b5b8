"""Runs that nobody sits beside: those of schedules and hooks begin as their owner, who has to have the right then."""

from __future__ import annotations

from apps.accounts.authentication import actor_of_user
from apps.accounts.models import User
from apps.core.actor import Actor, Level, Via
from apps.core.errors import NotFound, PermissionDenied
from apps.experiments import access as experiments
from apps.experiments.actions import create_experiment
from apps.experiments.models import Experiment
from apps.projects import access
from apps.projects.actions.submitting import submit_run
from apps.projects.asking.submission import Submission
from apps.projects.models import Project, ProjectRun, Schedule, Trigger


def owner_of(user: User | None, project: Project) -> Actor:
    """The actor that a user is now, speaking for the project's team.

    Raises `PermissionDenied` for one that is gone, disabled or may not start runs of the project any more.
    """
    if user is None or not user.is_active:
        name = f"{user.username} is disabled" if user else "whose it was is gone"
        raise PermissionDenied(f"Permission denied: {name}.")
    actor = actor_of_user(user, Via.SYSTEM).speaking_for(project.team_id)
    if access.level_of_project(actor, project) < Level.EDIT:
        raise PermissionDenied(f"Permission denied: {user.username} may not start runs of {project.name}.")
    return actor


def start_unattended(
    owner: Actor,
    *,
    project: Project,
    submission: Submission,
    trigger: Trigger,
    note: str,
    key: str,
    schedule: Schedule | None = None,
) -> ProjectRun:
    """Queue a run as its owner, once for each `key`, into the project's experiment. Raises as `submit_run` does."""
    return submit_run(
        owner,
        submission=submission,
        experiment=experiment_for(owner, project),
        project=project,
        trigger=trigger,
        trigger_note=note,
        request_key=key,
        schedule=schedule,
    )


def experiment_for(owner: Actor, project: Project) -> Experiment:
    """Where runs of a project go: the project's experiment, else that of its name, made where there is none.

    Raises `NotFound` or `PermissionDenied` where the owner may not write there.
    """
    if project.experiment_id is not None:
        return experiments.get_experiment(owner, project.experiment_id, Level.EDIT)
    actor = owner.speaking_for(project.team_id)
    try:
        found = experiments.get_experiment_by_name(actor, project.name)
    except NotFound:
        return create_experiment(actor, name=project.name)
    return experiments.get_experiment(owner, found.pk, Level.EDIT)
