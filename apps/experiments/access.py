"""Fetching is authorising: each function returns the object if the actor has the level, else raises.

Not visible is `NotFound`, in the protocol's words; visible but too weak is `PermissionDenied`. Whoever made an
experiment or a run may manage it, as long as they may still edit there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from apps.accounts.access import level_on, require
from apps.accounts.confinement import as_maker, owner_behind
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.experiments import hot
from apps.experiments.hot import Reach
from apps.experiments.models import Experiment, LoggedModel, Run

DEFAULT_EXPERIMENT_ID = 0
MAX_EXPERIMENT_IDS = 10_000


def get_experiment(actor: Actor, experiment_id: str | int, level: Level = Level.READ) -> Experiment:
    """An experiment by id; "0" is the `Default` of the team that the request speaks for."""
    missing = f"No Experiment with id={experiment_id} exists"
    found = hot.get_with_parents(Experiment, "id", experiment_key(actor, experiment_id), "team")
    if found is None:
        raise NotFound(missing)
    actual = level_of_experiment(actor, found)
    require(actual, level, missing=missing, doing=f"{level.word} this experiment")
    return found


def experiment_key(actor: Actor, experiment_id: str | int) -> int:
    """The primary key that an id of the protocol stands for, whether it exists or not. Raises `InvalidInput`."""
    return _own_default(actor, _as_number(experiment_id))


def visible_experiment_keys(actor: Actor, experiment_ids: Sequence[str]) -> list[int]:
    """The primary keys of those of the experiments that the caller may read; the others are left out, as if absent."""
    if len(experiment_ids) > MAX_EXPERIMENT_IDS:
        raise InvalidInput(f"At most {MAX_EXPERIMENT_IDS} experiment_ids are taken.")
    keys = {experiment_key(actor, experiment_id) for experiment_id in set(experiment_ids)}
    return list(Experiment.objects.visible_to(actor).filter(pk__in=keys).values_list("pk", flat=True)) if keys else []


def get_experiment_by_name(actor: Actor, name: str) -> Experiment:
    """By name in the team that the request speaks for, else among what was granted; `Conflict` where that is two."""
    found = list(Experiment.objects.listed_for(actor).filter(name=name).select_related("team").order_by("team__name"))
    own = [experiment for experiment in found if experiment.team_id == actor.team_id]
    if not found:
        raise NotFound(f"Could not find experiment with name '{name}'")
    if not own and len(found) > 1:
        teams = ", ".join(experiment.team.name for experiment in found)
        raise Conflict(f"Several teams granted you an experiment named '{name}': {teams}. Use its id.")
    return (own or found)[0]


def get_run(actor: Actor, run_id: str, level: Level = Level.READ) -> Run:
    """A run by the protocol's id, with its experiment and team."""
    missing = f"Run with id={run_id} not found"
    found = hot.get_with_parents(Run, "run_id", run_id, "experiment", "team")
    if found is None:
        raise NotFound(missing)
    require(level_of_run(actor, found), level, missing=missing, doing=f"{level.word} this run")
    return found


def get_runs(actor: Actor, experiment: Experiment, run_ids: Collection[str], level: Level = Level.READ) -> list[Run]:
    """Some runs of an experiment that was fetched with its team; all of them, or it raises. Two statements."""
    found = list(Run.objects.filter(experiment=experiment, run_id__in=run_ids))
    missing = set(run_ids) - {run.run_id for run in found}
    of_experiment = level_of_experiment(actor, experiment)
    for run in found:
        run.experiment = experiment
        actual = as_maker(actor, run.owner_id, of_experiment)
        require(actual, level, missing=f"Run with id={run.run_id} not found", doing=f"{level.word} these runs")
    if missing:
        raise NotFound(f"Run with id={min(missing)} not found")
    return found


def get_logged_model(
    actor: Actor, model_id: str, level: Level = Level.READ, *, also_deleted: bool = False
) -> LoggedModel:
    """A logged model by the protocol's id, with its experiment and team; one in the trash only where that is asked."""
    missing = f"Logged model with ID '{model_id}' not found."
    found = LoggedModel.objects.select_related("experiment__team").filter(model_id=model_id).first()
    if found is None or (found.deleted_ms is not None and not also_deleted):
        raise NotFound(missing)
    actual = as_maker(actor, found.owner_id, level_of_experiment(actor, found.experiment))
    require(actual, level, missing=missing, doing=f"{level.word} this logged model")
    return found


def level_of_experiment(actor: Actor, experiment: Experiment) -> Level:
    """The level by role, grant or having made it."""
    level = level_on(actor, ObjectKind.EXPERIMENT, experiment.pk, experiment.team_id)
    return as_maker(actor, experiment.owner_id, level)


def level_of_run(actor: Actor, run: Run) -> Level:
    """That of its experiment; whoever made the run may manage it."""
    return as_maker(actor, run.owner_id, level_of_experiment(actor, run.experiment))


def reach_of(actor: Actor, level: Level) -> Reach:
    """Where roles give the actor at least `level`, which is no more than `EDIT`.

    For statements that authorise as they go; what they don't reach may still be reached by a grant.
    """
    owner = owner_behind(actor, ObjectKind.EXPERIMENT)
    if owner is None or (actor.confined is not None and actor.confined.experiment_id is None):
        return Reach(())
    only = actor.confined.experiment_id if actor.confined is not None else None
    if owner.is_admin:
        return Reach(None, only)
    return Reach([team_id for team_id, role in owner.roles.items() if role.level >= level], only)


def require_active_experiment(experiment: Experiment) -> None:
    """Raise `InvalidInput` for an experiment in the trash."""
    if experiment.is_deleted:
        raise InvalidInput(f"The experiment {experiment.pk} must be in the 'active' state. Current state is deleted.")


def require_active(run: Run) -> None:
    """Raise `InvalidInput` for a run in the trash."""
    if run.is_deleted:
        raise InvalidInput(f"The run {run.run_id} must be in the 'active' state. Current state is deleted.")


def _as_number(raw: str | int) -> int:
    """The id as a number; one that no column can hold is as good as -1, which nothing has."""
    text = str(raw)
    if not (text.isascii() and text.removeprefix("-").isdecimal()):
        raise InvalidInput(f"Invalid experiment ID '{text[:100]}'. Experiment ID must be a valid integer.")
    return int(text) if len(text) < 19 else -1


def _own_default(actor: Actor, experiment_id: int) -> int:
    from apps.experiments.actions import default_experiment_id

    return default_experiment_id(actor) if experiment_id == DEFAULT_EXPERIMENT_ID else experiment_id
