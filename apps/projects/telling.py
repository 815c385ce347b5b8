"""What projects tell inboxes and mails."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Membership, ObjectKind
from apps.core.actor import Actor, Role
from apps.notifications.actions import publish
from apps.notifications.happenings import Happening
from apps.notifications.topics import declare_topic
from apps.projects.models import Schedule

SCHEDULE = declare_topic("project.schedule", _("Schedules that can't start their run"))


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
