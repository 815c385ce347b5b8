"""Runs with logs, as rows: how runs come to be is tested elsewhere."""

from __future__ import annotations

from apps.experiments.models import Run
from apps.projects import actions
from apps.projects.models import Project, ProjectRun, RunState, SourceKind
from tests.experiments.runs import make_run
from tests.personas import Persona

STAMP = b"2026-11-30T06:40:58.123Z "


def make_project_run(persona: Persona, *, state: RunState = RunState.RUNNING, fence: int = 3) -> ProjectRun:
    """A run that a worker holds, of a project of the persona's team, with a tracking run."""
    team_id = persona.actor.team_id
    assert team_id is not None
    project, _ = Project.objects.get_or_create(
        team_id=team_id,
        name="iris",
        defaults={"source_kind": SourceKind.GIT, "owner": persona.user, "created_ms": 1, "updated_ms": 1},
    )
    tracking = Run.objects.select_related("experiment").get(run_id=make_run(persona))
    return ProjectRun.objects.create(
        team_id=team_id,
        project=project,
        project_name=project.name,
        owner=persona.user,
        owner_name=persona.name,
        entry_point="main",
        experiment=tracking.experiment,
        run=tracking,
        queue="default",
        state=state,
        attempt=1,
        fence=fence,
        lease_until_ms=1 if state in (RunState.PREPARING, RunState.RUNNING) else None,
        queued_ms=1,
    )


def fetched(run: ProjectRun) -> ProjectRun:
    """The run as it is now, with what reading its log needs."""
    return ProjectRun.objects.select_related("team", "project", "run__experiment").get(pk=run.pk)


def append(run: ProjectRun, *lines: str, tail: str = "", is_cut: bool = False) -> None:
    """Lines at the end of the log."""
    data = b"".join(STAMP + line.encode() + b"\n" for line in lines)
    start = ProjectRun.objects.get(pk=run.pk).log_bytes
    actions.append_log(
        run_id=run.pk, fence=run.fence, start=start, data=data, lines=len(lines), tail=tail, is_cut=is_cut
    )


def end(run: ProjectRun, state: RunState = RunState.FINISHED) -> ProjectRun:
    """The run, ended."""
    ProjectRun.objects.filter(pk=run.pk).update(state=state, ended_ms=2, lease_until_ms=None, exit_code=0)
    return fetched(run)
