"""A run beside the one before it: what was asked for otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.actor import Actor
from apps.projects.models import ProjectRun, RunState


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs; None: it isn't there."""

    name: str
    before: str | None
    after: str | None


def run_before(actor: Actor, run: ProjectRun) -> ProjectRun | None:
    """The newest finished run of the same project and entry point before this one that the actor may see."""
    if run.project_id is None:
        return None
    found = ProjectRun.objects.visible_to(actor).filter(project_id=run.project_id, entry_point=run.entry_point)
    found = found.filter(state=RunState.FINISHED, pk__lt=run.pk, run__isnull=False)
    return found.select_related("run").order_by("-pk").first()


def changes_between(before: ProjectRun, after: ProjectRun) -> list[Change]:
    """What the later one was asked for otherwise: params, variables, version, commit, queue, limits."""
    first, second = _asked(before), _asked(after)
    names = sorted(first.keys() | second.keys())
    return [Change(name, first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)]


def _asked(run: ProjectRun) -> dict[str, str]:
    said = {f"params.{name}": value for name, value in run.params.items()}
    said |= {f"env.{name}": value for name, value in run.env_vars.items()}
    said |= {f"limits.{name}": str(value) for name, value in run.limits.items()}
    archive = str(run.archive_id) if run.archive_id else ""
    plain = {"version": run.source_version, "commit": run.commit, "archive": archive, "queue": run.queue}
    said |= {name: value for name, value in plain.items() if value}
    return said | ({"gpus": str(run.gpus)} if run.gpus else {})
