"""What projects tell inboxes and mails."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Membership, ObjectKind
from apps.core.actor import Actor, Role
from apps.notifications.actions import publish
from apps.notifications.happenings import Happening
from apps.notifications.topics import declare_topic
from apps.projects.addresses import run_url
from apps.projects.models import ProjectRun, RunState, Schedule

RUN_FAILED = declare_topic("project.run_failed", _("Runs of mine that failed, were lost, or that others cancelled"))
RUN_FINISHED = declare_topic("project.run_finished", _("Runs of mine that finished after ten minutes or more"))
SCHEDULE = declare_topic("project.schedule", _("Schedules that can't start their run"))

LONG_MS = 600_000


def tell_run_ended(actor: Actor, run: ProjectRun) -> None:
    """How a run ended: to its owner where that is news, and to webhooks. Its team and owner have to be at hand."""
    project = run.project
    if project is None:
        return
    topic = RUN_FINISHED if run.state == RunState.FINISHED else RUN_FAILED
    happening = Happening(
        topic=topic,
        team_id=run.team_id,
        team_name=run.team.name,
        kind=ObjectKind.PROJECT,
        object_id=project.pk,
        object_name=project.name,
        text=f"{run}, {run.entry_point or 'its entry point'}: {run.state}. {run.message}".strip(),
        url=run_url(run),
        event="project_run.ended",
        facts=_facts(run),
    )
    publish(actor, happening=happening, to={run.owner_id} if run.owner_id and _is_news(run) else set())


def _is_news(run: ProjectRun) -> bool:
    """To whoever started it and went away since."""
    if run.state == RunState.FINISHED:
        return (run.ended_ms or 0) - (run.started_ms or run.queued_ms) >= LONG_MS
    return run.state != RunState.CANCELLED or run.cancelled_by != run.owner_name


def _facts(run: ProjectRun) -> dict[str, object]:
    return {
        "project": run.project_name,
        "project_run_id": run.pk,
        "run_id": run.run.run_id if run.run else "",
        "entry_point": run.entry_point,
        "state": run.state,
        "exit_code": run.exit_code,
        "message": run.message,
    }


def tell_schedule_failed(actor: Actor, schedule: Schedule, why: str) -> None:
    """That a schedule started no run although it was time: to its owner and the maintainers of its team."""
    project = schedule.project
    happening = Happening(
        topic=SCHEDULE,
        team_id=project.team_id,
        team_name=project.team.name,
        kind=ObjectKind.PROJECT,
        object_id=project.pk,
        object_name=project.name,
        text=f"The schedule {schedule.name} of {project.name} started no run: {why}",
        url=reverse("projects:schedules", args=(project.team.name, project.name)),
    )
    keepers = Membership.objects.filter(team_id=project.team_id, role__in=(Role.MAINTAINER, Role.ADMIN))
    to = {*keepers.values_list("user_id", flat=True), *((schedule.owner_id,) if schedule.owner_id else ())}
    publish(actor, happening=happening, to=to)
