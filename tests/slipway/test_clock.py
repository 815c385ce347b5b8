"""The clock of scheduled work: its entries lie in the database, and it goes on while that is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from apps.projects.actions.schedules import FIRE
from slipway.celery import app
from slipway.clock import Clock, Entry
from tests.personas import People
from tests.projects.making import make_project, make_schedule

# Outside of a transaction, as it runs: it closes connections that are old.
pytestmark = pytest.mark.django_db(transaction=True)


def clock() -> Clock:
    return Clock(app=app, lazy=False)


def entries() -> dict[str, PeriodicTask]:
    return {task.name: task for task in PeriodicTask.objects.all()}


def test_what_the_settings_say_is_there_and_expires_in_time(settings: Any) -> None:
    clock()
    found = entries()
    assert set(found) == set(settings.CELERY_BEAT_SCHEDULE)
    assert {name: task.expire_seconds for name, task in found.items()} == {
        name: entry["options"]["expires"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
    }


def test_what_the_settings_say_no_more_is_forgotten_and_schedules_stay(people: People) -> None:
    schedule = make_schedule(people.ada, make_project(people.ada))
    PeriodicTask.objects.create(name="old", task="core.old", interval=Clock.Entry.to_model_schedule(timedelta(1))[0])
    clock()
    assert "old" not in entries()
    assert PeriodicTask.objects.get(task=FIRE).pk == schedule.beat_id


def test_a_restart_does_not_begin_intervals_anew() -> None:
    clock()
    yesterday = timezone.now() - timedelta(hours=23)
    PeriodicTask.objects.filter(name="retention").update(last_run_at=yesterday)
    again = clock().schedule["retention"]
    assert again.last_run_at == yesterday
    fresh = clock().schedule["audit-verify"].last_run_at
    assert clock().schedule["audit-verify"].last_run_at == fresh


def test_schedules_are_heard_of_while_it_runs(people: People) -> None:
    running, project = clock(), make_project(people.ada)
    assert not any(entry.task == FIRE for entry in running.schedule.values())
    schedule = make_schedule(people.ada, project, timezone="Asia/Tokyo")
    (entry,) = [entry for entry in running.schedule.values() if entry.task == FIRE]
    assert entry.args == [schedule.pk]
    assert str(entry.schedule.tz) == "Asia/Tokyo"


def test_when_it_ran_is_all_that_it_writes_back(people: People) -> None:
    make_schedule(people.ada, make_project(people.ada))
    running = clock()
    entry = next(entry for entry in running.schedule.values() if entry.task == FIRE)
    # Somebody pauses it between the clock's reading and its writing.
    PeriodicTask.objects.filter(task=FIRE).update(enabled=False)
    Entry.save(next(entry))
    task = PeriodicTask.objects.get(task=FIRE)
    assert (task.enabled, task.total_run_count) == (False, 1)


def test_it_goes_on_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    running = clock()
    known = dict(running.schedule)

    def away(*args: object) -> None:
        raise OperationalError("no connection")

    monkeypatch.setattr("django_celery_beat.models.PeriodicTasks.last_change", away)
    monkeypatch.setattr(Clock, "enabled_models_qs", away)
    assert running.schedule_changed() is False
    # Every five minutes it reads all anew, whatever it heard.
    assert running._last_full_sync is not None
    running._last_full_sync -= timedelta(minutes=6)
    assert set(running.schedule) == set(known)


def test_it_waits_for_a_database_that_is_away_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    write = Clock._write_settings

    def away_twice(self: Clock, wanted: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("no connection")
        write(self, wanted)

    monkeypatch.setattr(Clock, "_write_settings", away_twice)
    monkeypatch.setattr("slipway.clock.time.sleep", lambda seconds: None)
    assert "heartbeat" in clock().schedule
    assert len(tries) == 3
