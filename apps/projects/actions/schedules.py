from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import IntegrityError, transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, InvalidInput, NotFound, NotSignedIn
from apps.projects import events
from apps.projects.actions.common import now_ms
from apps.projects.asking.submission import Submission
from apps.projects.cron import Cron
from apps.projects.models import Missed, Overlap, Project, Schedule

MAX_NAME = 100
MOST_OF_A_PROJECT = 100
FIRE = "projects.fire_schedule"
# What waits longer for a worker is found by the sweep.
_EXPIRES_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """When a schedule starts runs, and what each is asked for."""

    name: str
    cron: str
    timezone: str = "UTC"
    asks: Submission = field(default_factory=Submission)
    missed: Missed = Missed.SKIP
    overlap: Overlap = Overlap.SKIP

    @classmethod
    def of(cls, schedule: Schedule) -> Plan:
        """What a schedule says now."""
        return cls(
            name=schedule.name,
            cron=schedule.cron,
            timezone=schedule.timezone,
            asks=Submission.from_json(schedule.asks),
            missed=Missed(schedule.missed),
            overlap=Overlap(schedule.overlap),
        )

    def checked(self) -> Plan:
        """Itself, tidied. Raises `InvalidInput` that names the field."""
        name = " ".join(self.name.split())
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            raise InvalidInput(f"name: 1 to {MAX_NAME} printable characters are wanted.")
        return replace(self, name=name, cron=Cron.parse(self.cron, self.timezone).text, asks=self.asks.checked())

    def columns(self) -> dict[str, Any]:
        """As the row keeps it."""
        return {
            "name": self.name,
            "cron": self.cron,
            "timezone": self.timezone,
            "asks": self.asks.to_json(),
            "missed": self.missed.value,
            "overlap": self.overlap.value,
        }


def create_schedule(actor: Actor, *, project: Project, plan: Plan, is_paused: bool = False) -> Schedule:
    """A schedule of a project that was fetched with the right to edit. Its runs are the actor's.

    Raises `InvalidInput`, `AlreadyExists`, and `Conflict` where the project has too many.
    """
    plan, now = _for(actor, plan), now_ms()
    with _named_once(plan), transaction.atomic():
        if Schedule.objects.filter(project=project).count() >= MOST_OF_A_PROJECT:
            raise Conflict(f"A project has at most {MOST_OF_A_PROJECT} schedules.")
        schedule = Schedule(project=project, owner_id=actor.user_id, is_paused=is_paused, **plan.columns())
        # What was due before it was made is not missed.
        schedule.created_ms = schedule.updated_ms = schedule.last_due_ms = now
        schedule.save(force_insert=True)
        _set_clock(schedule)
        record(actor, events.SCHEDULE_CREATED, subject_of(schedule), after=_told(schedule))
    return schedule


def change_schedule(actor: Actor, *, schedule: Schedule, plan: Plan) -> Schedule:
    """Other times, another order or other rules; whoever changes it becomes its owner, for it starts what they wrote.

    Raises as `create_schedule` does.
    """
    plan = _for(actor, plan)
    with _named_once(plan), transaction.atomic():
        fresh = _locked(schedule)
        before, when = _told(fresh), (fresh.cron, fresh.timezone)
        for name, value in plan.columns().items():
            setattr(fresh, name, value)
        if before == _told(fresh):
            return fresh
        fresh.owner_id, fresh.updated_ms, fresh.last_note = actor.user_id, now_ms(), ""
        if when != (fresh.cron, fresh.timezone):
            fresh.last_due_ms = fresh.updated_ms
        fresh.save()
        _set_clock(fresh)
        record(actor, events.SCHEDULE_CHANGED, subject_of(fresh), before=before, after=_told(fresh))
    return fresh


def pause_schedule(actor: Actor, *, schedule: Schedule, is_paused: bool) -> Schedule:
    """Let it rest, or go on: what was due while it rested is not missed, and it stays its owner's."""
    with transaction.atomic():
        fresh = _locked(schedule)
        if fresh.is_paused == is_paused:
            return fresh
        fresh.is_paused, fresh.updated_ms = is_paused, now_ms()
        fresh.last_due_ms, fresh.last_note = fresh.updated_ms, ""
        fresh.save()
        _set_clock(fresh)
        before, after = {"paused": not is_paused}, {"paused": is_paused}
        record(actor, events.SCHEDULE_CHANGED, subject_of(fresh), before=before, after=after)
    return fresh


def delete_schedule(actor: Actor, *, schedule: Schedule) -> None:
    """Remove it; the runs that it started stay."""
    with transaction.atomic():
        fresh = _locked(schedule)
        told, subject, beat = _told(fresh), subject_of(fresh), fresh.beat
        fresh.delete()
        if beat is not None and beat.crontab is not None:
            # Each has a line of its own, with which its entry goes.
            beat.crontab.delete()
        record(actor, events.SCHEDULE_DELETED, subject, before=told)


def forget_clocks() -> int:
    """Remove the clock's entries whose schedules went with their projects; how many."""
    lines = CrontabSchedule.objects.filter(periodictask__task=FIRE, periodictask__in=_loose())
    return lines.delete()[0] if lines.exists() else 0


def subject_of(schedule: Schedule) -> Subject:
    """What an event about a schedule names; project and team have to be at hand."""
    project = schedule.project
    name = f"{schedule.name} of {project.name}"
    return Subject("schedule", str(schedule.pk), name, project.team_id, project.team.name)


def _loose() -> Any:
    kept = Schedule.objects.filter(beat__isnull=False).values("beat_id")
    return PeriodicTask.objects.filter(task=FIRE).exclude(pk__in=kept).values("pk")


def _for(actor: Actor, plan: Plan) -> Plan:
    if actor.user_id is None:
        raise NotSignedIn
    return plan.checked()


def _locked(schedule: Schedule) -> Schedule:
    found = Schedule.objects.select_for_update(of=("self",)).select_related("project__team", "beat__crontab")
    fresh = found.filter(pk=schedule.pk).first()
    if fresh is None:
        raise NotFound(f"No schedule {schedule.pk}.")
    return fresh


def _set_clock(schedule: Schedule) -> None:
    """Let django-celery-beat's entry say what the schedule says."""
    cron, beat = Cron.parse(schedule.cron, schedule.timezone), schedule.beat
    line = beat.crontab if beat is not None and beat.crontab is not None else CrontabSchedule()
    for name, value in (cron.columns() | {"timezone": cron.zone}).items():
        setattr(line, name, value)
    line.save()
    beat = beat or PeriodicTask(name=f"schedule {schedule.pk}", task=FIRE, args=json.dumps([schedule.pk]))
    beat.crontab, beat.enabled, beat.expire_seconds = line, not schedule.is_paused, _EXPIRES_SECONDS
    beat.save()
    if schedule.beat_id != beat.pk:
        schedule.beat = beat
        schedule.save(update_fields=["beat"])


def _told(schedule: Schedule) -> dict[str, Any]:
    names = ("name", "cron", "timezone", "asks", "missed", "overlap")
    return {name: getattr(schedule, name) for name in names}


@contextmanager
def _named_once(plan: Plan) -> Iterator[None]:
    """Tell in words that a name is taken."""
    try:
        yield
    except IntegrityError as error:
        raise AlreadyExists(f"name: this project has a schedule {plan.name!r} already.") from error
