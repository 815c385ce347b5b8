"""How schedules start runs. The clock only says that it is time to look: which time it is, cron line and row say.

A time is seen to in one transaction that moves `last_due_ms` from where it was, so that two clocks, or a message that
comes twice, start one run; and one that nobody heard is found by the sweep.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db import transaction

from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError, InvalidInput
from apps.projects.actions.cancelling import cancel_run
from apps.projects.actions.schedules import forget_clocks
from apps.projects.actions.unattended import owner_of, start_unattended
from apps.projects.asking.submission import Submission
from apps.projects.cron import Cron
from apps.projects.models import Missed, Overlap, ProjectRun, Schedule, Trigger
from apps.projects.telling import tell_schedule_failed

logger = logging.getLogger(__name__)

# What is seen to later than this was missed.
LATE = timedelta(minutes=5)


def fire_schedule(actor: Actor, *, schedule_id: int, now: datetime | None = None) -> ProjectRun | None:
    """Start the run that is due by now, where one is and the rules of the schedule let it. Twice is once."""
    now = now or datetime.now(UTC)
    found = Schedule.objects.select_related("owner", "project__team", "project__archive", "project__experiment")
    schedule = found.filter(pk=schedule_id, is_paused=False).first()
    due = _due(schedule, now) if schedule else None
    if schedule is None or due is None:
        return None
    with transaction.atomic():
        return _see_to(actor, schedule, due, now) if _take(schedule, due) else None


def sweep_schedules(actor: Actor, *, now: datetime | None = None) -> int:
    """Start what is due and no message told; how many schedules were due."""
    now = now or datetime.now(UTC)
    active = Schedule.objects.filter(is_paused=False).only("cron", "timezone", "last_due_ms", "created_ms")
    due = [schedule.pk for schedule in active.order_by("pk").iterator() if _due(schedule, now)]
    for schedule_id in due:
        try:
            fire_schedule(actor, schedule_id=schedule_id, now=now)
        except Exception:  # the others' time has come as well
            logger.exception("schedule %s can't be fired", schedule_id)
    forget_clocks()
    return len(due)


def _due(schedule: Schedule, now: datetime) -> datetime | None:
    """The latest time that nobody saw to."""
    seen = schedule.created_ms if schedule.last_due_ms is None else schedule.last_due_ms
    try:
        cron = Cron.parse(schedule.cron, schedule.timezone)
    except InvalidInput as error:
        # The system's list of time zones may lose one.
        logger.warning("schedule %s can't be read: %s", schedule.pk, error)
        return None
    return cron.last_between(datetime.fromtimestamp(seen / 1000, UTC), now)


def _take(schedule: Schedule, due: datetime) -> bool:
    """Whether this time is ours to see to."""
    mine = Schedule.objects.filter(pk=schedule.pk, is_paused=False, last_due_ms=schedule.last_due_ms)
    return bool(mine.update(last_due_ms=_ms(due)))


def _see_to(actor: Actor, schedule: Schedule, due: datetime, now: datetime) -> ProjectRun | None:
    late = now - due > LATE
    if late and schedule.missed == Missed.SKIP:
        _note(schedule, f"Nobody was there at {_words(due)}, and what is missed is left out.")
        return None
    try:
        with transaction.atomic():
            return _start(schedule, due, late)
    except DomainError as error:
        if schedule.last_note != error.message[:500]:
            tell_schedule_failed(actor, schedule, error.message)
        _note(schedule, error.message)
        return None


def _start(schedule: Schedule, due: datetime, late: bool) -> ProjectRun | None:
    owner = owner_of(schedule.owner, schedule.project)
    going_on = list(ProjectRun.objects.active().filter(schedule=schedule).order_by("pk"))
    if going_on and schedule.overlap == Overlap.SKIP:
        _note(schedule, f"The run {going_on[-1].pk} still went on at {_words(due)}, so none was started.")
        return None
    for run in going_on if schedule.overlap == Overlap.CANCEL else ():
        with suppress(Conflict):
            cancel_run(owner, run=run, reason=f"The next time of the schedule {schedule.name} came.")
    note = f"{schedule.name}, due {_words(due)}" + (", late" if late else "")
    run = start_unattended(
        owner,
        project=schedule.project,
        submission=Submission.from_json(schedule.asks),
        trigger=Trigger.SCHEDULE,
        note=note,
        key=f"schedule-{schedule.pk}-{_ms(due)}",
        schedule=schedule,
    )
    _note(schedule, "")
    return run


def _note(schedule: Schedule, text: str) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(last_note=text[:500])


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def _words(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
