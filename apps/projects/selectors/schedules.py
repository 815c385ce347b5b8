"""Schedules as lists and forms show them, in a constant number of statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, QuerySet, Subquery

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.projects.cron import Cron
from apps.projects.models import Project, ProjectRun, Schedule

SHOWN = 5


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """A schedule, its last run, and when the next comes: None while it rests, or where its line can't be read."""

    schedule: Schedule
    last: ProjectRun | None
    next_at: datetime | None
    words: str

    @property
    def key(self) -> str:
        """For ids on a page."""
        return str(self.schedule.pk)


def schedules_of(project: Project) -> QuerySet[Schedule]:
    """Those of a project that was fetched with the right to read it, by name."""
    return Schedule.objects.filter(project=project).select_related("owner").order_by("name")


def schedules_for(actor: Actor) -> QuerySet[Schedule]:
    """Those of projects that the actor may read."""
    return Schedule.objects.visible_to(actor).select_related("project__team", "owner")


def lines_of(schedules: QuerySet[Schedule], now: datetime | None = None) -> list[ScheduleLine]:
    """With their last runs. Two statements."""
    newest = ProjectRun.objects.filter(schedule=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    found = list(schedules.annotate(newest_run=Subquery(newest)))
    keys = [key for schedule in found if (key := newest_of(schedule))]
    runs = {run.pk: run for run in ProjectRun.objects.filter(pk__in=keys)} if keys else {}
    moment = now or datetime.now(UTC)
    return [_line(schedule, runs.get(newest_of(schedule) or 0), moment) for schedule in found]


def newest_of(schedule: Schedule) -> int | None:
    """The key of its newest run, of a schedule that `lines_of` read."""
    key: int | None = getattr(schedule, "newest_run", None)
    return key


def next_times(cron: Cron, now: datetime | None = None, count: int = SHOWN) -> list[datetime]:
    """When it comes next, as clocks in its zone show it: what it will be, so that nobody has to work it out."""
    return [moment.astimezone(cron.zone) for moment in cron.times_after(now or datetime.now(UTC), count)]


def _line(schedule: Schedule, last: ProjectRun | None, now: datetime) -> ScheduleLine:
    try:
        cron = Cron.parse(schedule.cron, schedule.timezone)
    except InvalidInput as error:
        return ScheduleLine(schedule, last, None, error.message)
    moment = None if schedule.is_paused else cron.next_after(now)
    return ScheduleLine(schedule, last, _local(moment, cron.zone), cron.in_words())


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return moment.astimezone(zone) if moment else None
