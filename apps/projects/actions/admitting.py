"""What is looked at before a run is queued, whoever asks: its variables, its secrets, and what a run may start."""

from __future__ import annotations

from apps.core.actor import Actor, Confinement
from apps.core.errors import Conflict, PermissionDenied
from apps.projects.actions.secrets import require_use
from apps.projects.asking.variables import check_secrets_and_variables, check_variables
from apps.projects.models import ProjectRun, Trigger


def admit(actor: Actor, run: ProjectRun) -> None:
    """Raise unless the actor may have a run, not stored yet, queued with what it is given.

    One that a project run starts becomes its child, of its own project, in its own experiment; `Conflict` where that
    run was cancelled. In the transaction that stores the run.
    """
    check_variables(run.env_vars)
    check_secrets_and_variables(run.secrets, run.env_vars)
    require_use(actor, run=run)
    if actor.confined is not None:
        _make_child(actor.confined, run)


def _make_child(confined: Confinement, run: ProjectRun) -> None:
    if (run.project_id, run.experiment_id) != (confined.project_id, confined.experiment_id):
        raise PermissionDenied("Permission denied: a run starts runs of its own project in its own experiment.")
    # Who cancels it locks it too, and then looks for children: none is begun behind their back.
    locked = ProjectRun.objects.select_for_update(of=("self",), no_key=True).select_related("run")
    run.parent = locked.get(pk=confined.project_run_id)
    if run.parent.cancel_ms is not None:
        raise Conflict(f"{run.parent} was cancelled, and starts no others.")
    run.trigger = Trigger.RUN
