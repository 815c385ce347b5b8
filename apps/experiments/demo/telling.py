"""Stores the stories through the same actions that scripts and people use."""

from __future__ import annotations

import hashlib
import io
import json
import math
from dataclasses import dataclass

import numpy as np

from apps.accounts.actions import add_member, create_team, create_user
from apps.accounts.authentication import actor_of_user
from apps.accounts.models import Membership, Team, User
from apps.core.actor import Actor, Role, Via, system_actor
from apps.core.paths import ArtifactPath
from apps.experiments.actions import create_experiment, now_ms
from apps.experiments.actions.datasets import CONTEXT_TAG, UsedDataset, log_inputs
from apps.experiments.actions.logged_data import log_batch
from apps.experiments.actions.runs import create_run, delete_run, update_run
from apps.experiments.artifacts.folders import folder_of_run
from apps.experiments.demo.curves import Curve
from apps.experiments.demo.files import files_of
from apps.experiments.demo.stories import DemoDataset, DemoExperiment, DemoRun, DemoTeam
from apps.experiments.demo.teams import EVERYWHERE, TEAMS
from apps.experiments.ingest import PARENT_TAG, Value
from apps.experiments.models import Experiment, Run, RunStatus
from apps.experiments.selectors.overview import NOTE_TAG

_HOUR_MS = 3_600_000
_VALUES_AT_ONCE = 1_000
_FILES_EVERY = 3


@dataclass
class Told:
    """How much was made; nothing where all of it was there."""

    teams: int = 0
    people: int = 0
    experiments: int = 0
    runs: int = 0


def tell(password: str) -> Told:
    """Make what is missing of the teams, people and experiments. New people get `password`."""
    told = Told()
    system = system_actor()
    for number, story in enumerate(TEAMS):
        team = _team(system, story, told)
        people = [_person(system, name, full, password, team, role, told) for name, full, role in story.people]
        _person(system, *EVERYWHERE, password, team, Role.MEMBER, told)
        for place, experiment in enumerate(story.experiments):
            if not Experiment.objects.filter(team=team, name=experiment.name).exists():
                rng = np.random.default_rng(1_000 * number + place)
                _experiment([_actor(person, team) for person in people[:2]], experiment, rng, told)
    return told


def _team(system: Actor, story: DemoTeam, told: Told) -> Team:
    found = Team.objects.filter(name=story.name).first()
    if found is not None:
        return found
    told.teams += 1
    return create_team(system, name=story.name, description=story.description)


def _person(system: Actor, name: str, full: str, password: str, team: Team, role: Role, told: Told) -> User:
    user: User | None = User.objects.filter(username=name).first()
    if user is None:
        told.people += 1
        user = create_user(system, username=name, password=password, team=team, role=role)
        user.first_name, _, user.last_name = full.partition(" ")
        user.save(update_fields=["first_name", "last_name"])
    elif not Membership.objects.filter(team=team, user=user).exists():
        add_member(system, team=team, user=user, role=role)
    return user


def _actor(user: User, team: Team) -> Actor:
    return actor_of_user(user, Via.SYSTEM).speaking_for(team.pk)


def _experiment(actors: list[Actor], story: DemoExperiment, rng: np.random.Generator, told: Told) -> None:
    tags = [*story.tags.items(), *([(NOTE_TAG, story.note)] if story.note else [])]
    experiment = create_experiment(actors[0], name=story.name, tags=tags)
    told.experiments += 1
    for place, plan in enumerate(story.runs(rng)):
        run = _run(actors[place % len(actors)], experiment, story, plan, told)
        if place % _FILES_EVERY == 0:
            _leave_files(run, story, plan)


def _run(
    actor: Actor, experiment: Experiment, story: DemoExperiment, plan: DemoRun, told: Told, parent: str = ""
) -> Run:
    start_ms = now_ms() - int(plan.hours_ago * _HOUR_MS)
    run = create_run(
        actor,
        experiment=experiment,
        name=plan.name,
        user_name=actor.username,
        start_ms=start_ms,
        tags=_tags(actor, story, plan, parent),
    )
    told.runs += 1
    _log(actor, run, plan, start_ms)
    log_inputs(actor, run=run, datasets=[_used(story.dataset)])
    for child in plan.children:
        _run(actor, experiment, story, child, told, parent=run.run_id)
    if plan.status != RunStatus.RUNNING:
        update_run(actor, run=run, status=RunStatus(plan.status), end_ms=start_ms + int(plan.minutes * 60_000))
    if plan.deleted:
        delete_run(actor, run=run)
    return run


def _tags(actor: Actor, story: DemoExperiment, plan: DemoRun, parent: str) -> list[tuple[str, str]]:
    own = {
        "mlflow.user": actor.username,
        "mlflow.source.name": story.script,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": hashlib.sha1(story.name.encode(), usedforsecurity=False).hexdigest(),
    }
    if parent:
        own[PARENT_TAG] = parent
    return [*own.items(), *plan.tags.items()]


def _leave_files(run: Run, story: DemoExperiment, plan: DemoRun) -> None:
    folder = folder_of_run(run)
    for path, content in files_of(story, plan):
        folder.write(ArtifactPath.parse(path), io.BytesIO(content), len(content))


def _used(dataset: DemoDataset) -> UsedDataset:
    columns = [{"type": "double", "name": name, "required": True} for name in dataset.columns]
    return UsedDataset(
        name=dataset.name,
        digest=dataset.digest,
        source_type="local",
        source=json.dumps({"uri": f"/data/{dataset.name}.parquet"}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({"num_rows": dataset.rows, "num_elements": dataset.rows * len(dataset.columns)}),
        tags=[(CONTEXT_TAG, "training")],
    )


def _log(actor: Actor, run: Run, plan: DemoRun, start_ms: int) -> None:
    values = [value for key, curve in plan.metrics.items() for value in _values(key, curve, start_ms, plan.minutes)]
    log_batch(actor, run_id=run.run_id, params=list(plan.params.items()))
    for first in range(0, len(values), _VALUES_AT_ONCE):
        log_batch(actor, run_id=run.run_id, values=values[first : first + _VALUES_AT_ONCE])


def _values(key: str, curve: Curve, start_ms: int, minutes: float) -> list[Value]:
    spacing = minutes * 60_000 / max(1, len(curve))
    numbers = curve.tolist()
    return [
        Value(
            key, step, start_ms + int(spacing * (step + 1)), 0.0 if math.isnan(number) else number, math.isnan(number)
        )
        for step, number in enumerate(numbers)
    ]
