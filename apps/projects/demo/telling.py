"""Stores the stories of projects through the actions that people and workers use. Only times are set back after."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.accounts.authentication import actor_of_user
from apps.accounts.models import Team, User
from apps.core.actor import Actor, Via, system_actor
from apps.experiments.actions.logged_data import log_batch
from apps.experiments.ingest import Value
from apps.experiments.models import Experiment, Run
from apps.projects import actions
from apps.projects.actions.common import now_ms
from apps.projects.asking.changes import Defaults, Source
from apps.projects.asking.submission import Submission
from apps.projects.demo.stories import PROJECTS, DemoProject, DemoProjectRun
from apps.projects.models import Project, ProjectRun, Queue, RunState, SourceKind
from apps.runtime.limits import Limits

_HOUR_MS = 3_600_000
_WAITED_MS = 3_000
_PREPARED_MS = 9_000
_GPU = "gpu"
_NUMBER = re.compile(r"(?<!_)\b(?P<key>loss|auc) +(?P<value>\d+\.\d+)")


@dataclass
class Told:
    """How much was made."""

    projects: int = 0
    runs: int = 0
    schedules: int = 0


def tell() -> Told:
    """Make what is missing of the projects of the demo teams, which are there. Whole projects or nothing."""
    told = Told()
    for story in PROJECTS:
        team = Team.objects.get(name=story.team)
        experiment = Experiment.objects.active().filter(team=team, name=story.experiment).first()
        if experiment is not None and not Project.objects.filter(team=team, name=story.name).exists():
            _tell(team, experiment, story, told)
    return told


def _tell(team: Team, experiment: Experiment, story: DemoProject, told: Told) -> None:
    maker = _actor(story.maker, team)
    zipped = _zipped(story.files)
    kept = actions.keep_archive(maker, team=team, source=zipped, length=None, name=f"{story.name}.zip")
    source = Source(SourceKind.ARCHIVE, archive=kept.archive)
    project = actions.create_project(maker, name=story.name, source=source, description=story.description)
    defaults = Defaults(experiment=experiment, env_vars=story.env_vars, limits=Limits.from_json(story.limits))
    actions.set_defaults(maker, project=project, defaults=defaults)
    told.projects += 1
    for plan in story.runs:
        _run(_actor(plan.who, team), project, experiment, plan)
        told.runs += 1
    for name, cron, timezone, is_paused in story.schedules:
        asks = Submission(entry_point=story.runs[0].entry_point, params=dict(story.runs[0].params))
        plan_of = actions.Plan(name=name, cron=cron, timezone=timezone, asks=asks)
        actions.create_schedule(maker, project=project, plan=plan_of, is_paused=is_paused)
        told.schedules += 1
    since = now_ms() - int(max((plan.hours for plan in story.runs), default=9) + 4) * _HOUR_MS
    Project.objects.filter(pk=project.pk).update(created_ms=since, updated_ms=since)


def _run(actor: Actor, project: Project, experiment: Experiment, plan: DemoProjectRun) -> None:
    is_waiting = plan.state == RunState.QUEUED
    run = actions.submit_run(
        actor,
        submission=Submission(
            entry_point=plan.entry_point,
            params=dict(plan.params),
            run_name=plan.name,
            queue=_paused_queue().name if is_waiting else "",
            gpus=1 if is_waiting else 0,
        ),
        project=project,
        experiment=experiment,
    )
    queued_ms = now_ms() - int(plan.hours * _HOUR_MS)
    if is_waiting:
        _set_back(run, {"queued_ms": queued_ms}, queued_ms, None)
    else:
        _work(actor, run, plan, queued_ms)


def _paused_queue() -> Queue:
    """A queue of which nothing is taken, so that what waits is there to be seen."""
    said = {"description": "Machines with a GPU.", "is_paused": True, "created_ms": now_ms()}
    return Queue.objects.get_or_create(name=_GPU, defaults=said)[0]


def _work(actor: Actor, run: ProjectRun, plan: DemoProjectRun, queued_ms: int) -> None:
    """What a worker does with a run: take it, start it, keep its log, end it."""
    started_ms = queued_ms + _WAITED_MS + _PREPARED_MS
    ended_ms = started_ms + int(plan.minutes * 60_000)
    run.state, run.attempt, run.fence, run.lease_until_ms = RunState.PREPARING, 1, 1, now_ms() + 60_000
    run.worker_name = "demo-worker"
    run.save(update_fields=["state", "attempt", "fence", "lease_until_ms", "worker_name"])
    system = system_actor()
    actions.start_run(system, run=run, isolation="sandboxed", environment="python 3.11")
    log = _log(plan.output, started_ms, ended_ms)
    actions.append_log(run_id=run.pk, fence=run.fence, start=0, data=log, lines=len(plan.output), tail="", is_cut=False)
    if run.run is not None:
        _log_metrics(actor, run.run, plan, started_ms)
    ending = actions.Ending(plan.state, plan.message, plan.exit_code)
    actions.end_attempt(system, run=run, ending=ending)
    times = {"queued_ms": queued_ms, "claimed_ms": queued_ms + _WAITED_MS, "started_ms": started_ms}
    _set_back(run, times | {"ended_ms": ended_ms}, started_ms, ended_ms)


def _log(lines: tuple[str, ...], started_ms: int, ended_ms: int) -> bytes:
    step = (ended_ms - started_ms) / max(1, len(lines))
    return "".join(f"{_stamp(started_ms + int(step * place))} {line}\n" for place, line in enumerate(lines)).encode()


def _stamp(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def _log_metrics(actor: Actor, run: Run, plan: DemoProjectRun, started_ms: int) -> None:
    """The numbers of its output, and its score after."""
    found = [match for line in plan.output if (match := _NUMBER.search(line))]
    spacing = plan.minutes * 60_000 / max(1, len(found))
    values = [
        Value(match["key"], step, started_ms + int(spacing * step), float(match["value"]), False)
        for step, match in enumerate(found)
    ]
    if plan.score is not None:
        values.append(Value("score", len(found), started_ms + int(plan.minutes * 60_000), plan.score, False))
    log_batch(actor, run_id=run.run_id, values=values)


def _set_back(run: ProjectRun, times: Mapping[str, int], start_ms: int, end_ms: int | None) -> None:
    """The audit log goes on saying that it was made now."""
    ProjectRun.objects.filter(pk=run.pk).update(**times)
    if run.run is not None:
        Run.objects.filter(pk=run.run.pk).update(start_ms=start_ms, end_ms=end_ms)


def _zipped(files: Mapping[str, str]) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(zipfile.ZipInfo(name), content)
    made.seek(0)
    return made


def _actor(name: str, team: Team) -> Actor:
    return actor_of_user(User.objects.get(username=name), Via.SYSTEM).speaking_for(team.pk)
