"""What teams have of the workers and of the store, beside what they may have."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from apps.accounts.models import Team
from apps.projects.models import Archive, ProjectRun, Quota, RunState


@dataclass
class QuotaRow:
    """A team: its quota, where one is set, and what it uses."""

    team: Team
    quota: Quota | None
    running: int = 0
    waiting: int = 0
    archive_bytes: int = 0


def quota_rows() -> list[QuotaRow]:
    """All teams by name. Four statements."""
    quotas = {quota.team_id: quota for quota in Quota.objects.all()}
    rows = {team.pk: QuotaRow(team, quotas.get(team.pk)) for team in Team.objects.order_by("name")}
    active = ProjectRun.objects.active().order_by().values_list("team_id", "state").annotate(count=Count("pk"))
    for team_id, state, count in active:
        if state == RunState.QUEUED:
            rows[team_id].waiting += count
        else:
            rows[team_id].running += count
    for team_id, size in Archive.objects.order_by().values_list("team_id").annotate(size=Sum("bytes")):
        rows[team_id].archive_bytes = size
    return list(rows.values())
