"""Projects, queues and runs of these tests, made as the people of the tests make them."""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from apps.core.actor import system_actor
from apps.experiments.actions import create_experiment
from apps.experiments.models import Experiment
from apps.projects import actions
from apps.projects.asking.submission import Submission
from apps.projects.models import Project, ProjectRun, Queue, RunState, Schedule, SourceKind, Worker
from tests.personas import Persona

NOW_MS = 1_790_000_000_000

DOCUMENT = {
    "name": "iris",
    "file": "MLproject",
    "environment": {"kind": "none", "file": "", "text": "", "image": "", "volumes": [], "variables": []},
    "env_vars": {},
    "entry_points": [
        {
            "name": "main",
            "command": "python train.py {alpha}",
            "parameters": [{"name": "alpha", "type": "float", "default": "0.5"}],
        },
        {
            "name": "check",
            "command": "python check.py {model} {version} {event}",
            "parameters": [
                {"name": "model", "type": "string", "default": None},
                {"name": "version", "type": "string", "default": None},
                {"name": "event", "type": "string", "default": None},
            ],
        },
    ],
    "scripts": [],
    "notes": [],
}


def queue(name: str = "default") -> Queue:
    """A queue of the site."""
    return Queue.objects.get_or_create(name=name, defaults={"created_ms": NOW_MS})[0]


def make_project(owner: Persona, name: str = "iris", **more: Any) -> Project:
    """A project of the owner's team whose source nobody fetches: its document is there already."""
    queue()
    team_id = owner.actor.team_id
    assert team_id is not None
    given = {"document": DOCUMENT, "read_ms": NOW_MS, "source_kind": SourceKind.GIT, **more}
    given.setdefault("source_uri", "https://git.example/iris.git")
    made = Project.objects.create(
        team_id=team_id, name=name, owner=owner.user, created_ms=NOW_MS, updated_ms=NOW_MS, **given
    )
    return Project.objects.select_related("team", "archive", "experiment").get(pk=made.pk)


def make_experiment(owner: Persona, name: str = "iris") -> Experiment:
    """An experiment of the owner's team."""
    return create_experiment(owner.actor, name=name)


def make_run(owner: Persona, project: Project, **asks: Any) -> ProjectRun:
    """A run that waits, in an experiment of the project's name."""
    found = Experiment.objects.filter(team_id=project.team_id, name=project.name).first()
    experiment = found or make_experiment(owner, project.name)
    return actions.submit_run(owner.actor, submission=Submission(**asks), experiment=experiment, project=project)


def make_schedule(owner: Persona, project: Project, **plan: Any) -> Schedule:
    """One for three o'clock each night."""
    given = {"name": "nightly", "cron": "0 3 * * *", **plan}
    return actions.create_schedule(owner.actor, project=project, plan=actions.Plan(**given))


def end(run: ProjectRun, state: RunState = RunState.FINISHED) -> ProjectRun:
    """Let a worker have taken the run and ended it so."""
    count = (Worker.objects.aggregate(top=Max("pk"))["top"] or 0) + 1
    system = system_actor()
    worker = actions.register_worker(
        system,
        name=f"host-{count}",
        host="host",
        pid=count,
        queues=[run.queue],
        concurrency=1,
        abilities={},
        version="",
    )
    held = actions.claim_run(system, worker=worker, queues=[run.queue])
    assert held is not None and held.pk == run.pk
    actions.start_run(system, run=held)
    actions.end_attempt(system, run=held, ending=actions.Ending(state, "", 0 if state == RunState.FINISHED else 1))
    return held


def make_worker(name: str = "w-1", **more: Any) -> Worker:
    """A worker that is alive, of the queue `default` unless told."""
    given = {"host": "mill", "pid": 1, "queues": ["default"], "concurrency": 2, "abilities": {}, "version": "", **more}
    return actions.register_worker(system_actor(), name=name, **given)
