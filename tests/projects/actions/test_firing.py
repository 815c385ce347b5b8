"""What schedules do when it is time: through the actions, with the clock held by the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.audit.models import Event
from apps.core.actor import Level, Role, system_actor
from apps.notifications.models import Notification
from apps.projects import actions
from apps.projects.asking.submission import Submission
from apps.projects.models import Missed, Overlap, Project, ProjectRun, RunState, Schedule, Trigger
from tests.personas import People, Persona
from tests.projects.making import end, make_project

# Thursday; what is made before it was made at noon.
MADE = datetime(2026, 12, 3, 12, 0, tzinfo=UTC)
DUE = datetime(2026, 12, 4, 3, 0, tzinfo=UTC)
SYSTEM = system_actor()


def schedule_of(owner: Persona, project: Project, **plan: Any) -> Schedule:
    """One for three o'clock each night, made at `MADE`."""
    given = {"name": "nightly", "cron": "0 3 * * *", **plan}
    schedule = actions.create_schedule(owner.actor, project=project, plan=actions.Plan(**given))
    Schedule.objects.filter(pk=schedule.pk).update(last_due_ms=int(MADE.timestamp() * 1000))
    schedule.refresh_from_db()
    return schedule


def fire(schedule: Schedule, now: datetime = DUE) -> ProjectRun | None:
    return actions.fire_schedule(SYSTEM, schedule_id=schedule.pk, now=now)


def note(schedule: Schedule) -> str:
    return Schedule.objects.get(pk=schedule.pk).last_note


def test_a_run_is_started_as_its_owner_when_it_is_time(people: People) -> None:
    project = make_project(people.ada)
    asks = Submission(entry_point="main", params={"alpha": "0.9"}, priority=70)
    schedule = schedule_of(people.ada, project, asks=asks)

    assert fire(schedule, DUE - timedelta(seconds=1)) is None
    run = fire(schedule)

    assert run is not None
    assert (run.owner_id, run.trigger, run.schedule_id) == (people.ada.user.pk, Trigger.SCHEDULE, schedule.pk)
    assert (run.entry_point, run.params, run.priority) == ("main", {"alpha": "0.9"}, 70)
    assert run.trigger_note == "nightly, due 2026-12-04 03:00 UTC"
    assert run.experiment is not None and run.experiment.name == "iris"
    queued = Event.objects.get(code="project_run.queued")
    assert (queued.actor_name, queued.via) == ("ada", "system")


def test_one_time_starts_one_run_however_often_it_is_told(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada), overlap=Overlap.QUEUE)
    assert fire(schedule) is not None
    assert fire(schedule) is None
    assert fire(schedule, DUE + timedelta(minutes=4)) is None
    assert ProjectRun.objects.count() == 1
    assert fire(schedule, DUE + timedelta(days=1)) is not None


def test_two_clocks_that_saw_the_same_row_start_one_run(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one read the schedule before the first one wrote."""
    from apps.projects.actions import firing

    schedule = schedule_of(people.ada, make_project(people.ada), overlap=Overlap.QUEUE)
    take = firing._take
    nested: list[bool] = []

    def first_another(row: Schedule, due: datetime) -> bool:
        if not nested:
            nested.append(True)
            assert fire(schedule) is not None
        return take(row, due)

    monkeypatch.setattr(firing, "_take", first_another)
    assert fire(schedule) is None
    assert ProjectRun.objects.count() == 1


def test_the_sweep_finds_what_no_message_told(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada))
    assert actions.sweep_schedules(SYSTEM, now=DUE - timedelta(minutes=1)) == 0
    assert actions.sweep_schedules(SYSTEM, now=DUE + timedelta(seconds=20)) == 1
    assert ProjectRun.objects.get().schedule_id == schedule.pk
    assert actions.sweep_schedules(SYSTEM, now=DUE + timedelta(seconds=40)) == 0


def test_what_is_missed_is_left_out(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada))
    assert fire(schedule, DUE + timedelta(hours=2)) is None
    assert "Nobody was there at 2026-12-04 03:00 UTC" in note(schedule)
    assert fire(schedule, DUE + timedelta(hours=3)) is None
    assert fire(schedule, DUE + timedelta(days=1)) is not None
    assert note(schedule) == ""


def test_one_run_stands_for_all_that_were_missed(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada), missed=Missed.ONCE)
    run = fire(schedule, DUE + timedelta(days=3, hours=2))
    assert run is not None
    assert run.trigger_note == "nightly, due 2026-12-07 03:00 UTC, late"
    assert fire(schedule, DUE + timedelta(days=3, hours=3)) is None


def test_a_time_is_left_out_while_the_last_run_goes_on(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada))
    first = fire(schedule)
    assert first is not None
    assert fire(schedule, DUE + timedelta(days=1)) is None
    assert f"The run {first.pk} still went on" in note(schedule)
    end(first)
    assert fire(schedule, DUE + timedelta(days=2)) is not None


def test_a_time_is_queued_behind_the_last_run(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada), overlap=Overlap.QUEUE)
    assert fire(schedule) and fire(schedule, DUE + timedelta(days=1))
    assert ProjectRun.objects.filter(state=RunState.QUEUED).count() == 2


def test_the_last_run_is_cancelled_for_the_next(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada), overlap=Overlap.CANCEL)
    first, second = fire(schedule), fire(schedule, DUE + timedelta(days=1))
    assert first is not None and second is not None
    first.refresh_from_db()
    assert (first.state, first.cancelled_by) == (RunState.CANCELLED, "ada")
    assert "nightly" in first.cancel_reason
    assert second.state == RunState.QUEUED


def test_other_runs_of_the_project_do_not_hold_it_up(people: People) -> None:
    project = make_project(people.ada)
    one, other = schedule_of(people.ada, project), schedule_of(people.ada, project, name="other")
    assert fire(one) and fire(other)


def test_an_owner_who_was_disabled_starts_nothing(people: People) -> None:
    schedule = schedule_of(people.ben, make_project(people.ada))
    accounts.set_active(people.root.actor, user=people.ben.user, is_active=False)
    assert fire(schedule) is None
    assert ProjectRun.objects.count() == 0
    assert "ben is disabled" in note(schedule)
    told = Notification.objects.get(user=people.max.user)
    assert "nightly of iris started no run" in told.text


def test_an_owner_who_lost_the_right_starts_nothing_and_hears_of_it_once(people: People) -> None:
    schedule = schedule_of(people.ben, make_project(people.ada))
    accounts.set_role(people.root.actor, team=people.forge, user=people.ben.user, role=Role.VIEWER)
    assert fire(schedule) is None
    assert fire(schedule, DUE + timedelta(days=1)) is None
    assert "may not start runs" in note(schedule)
    assert Notification.objects.filter(user=people.ben.user).count() == 1
    assert not Notification.objects.filter(user=people.ada.user).exists()


def test_somebody_of_another_team_with_a_grant_starts_runs(people: People) -> None:
    project = make_project(people.ada)
    target = kind_of(ObjectKind.PROJECT).find(SYSTEM, str(project.pk), Level.MANAGE)
    accounts.give_grant(SYSTEM, target=target, to=people.cleo.user, level=Level.EDIT)
    schedule = schedule_of(people.cleo, project)
    # Its experiment is of a team where Cleo may make nothing.
    assert fire(schedule) is None
    assert "Permission denied" in note(schedule)


def test_what_the_queue_refuses_is_told(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada), asks=Submission(queue="gpu"))
    assert fire(schedule) is None
    assert "no queue 'gpu'" in note(schedule)
    assert Notification.objects.filter(user=people.max.user).count() == 1


def test_a_paused_schedule_starts_nothing_and_misses_nothing(people: People) -> None:
    schedule = schedule_of(people.ada, make_project(people.ada), missed=Missed.ONCE)
    actions.pause_schedule(people.ben.actor, schedule=schedule, is_paused=True)
    assert fire(schedule, DUE) is None
    actions.pause_schedule(people.ben.actor, schedule=schedule, is_paused=False)
    schedule.refresh_from_db()
    assert schedule.owner_id == people.ada.user.pk
    assert fire(schedule, datetime.now(UTC)) is None
    assert ProjectRun.objects.count() == 0


def test_a_line_that_the_system_can_not_read_any_more_holds_nothing_up(people: People) -> None:
    project = make_project(people.ada)
    broken, good = schedule_of(people.ada, project, name="broken"), schedule_of(people.ada, project)
    Schedule.objects.filter(pk=broken.pk).update(timezone="Mars/Olympus")
    assert actions.sweep_schedules(SYSTEM, now=DUE) == 1
    assert ProjectRun.objects.get().schedule_id == good.pk


def test_one_that_fails_holds_no_other_up(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.projects.actions import firing

    project = make_project(people.ada)
    broken, good = schedule_of(people.ada, project, name="broken"), schedule_of(people.ada, project)
    start = firing._start

    def fail_one(schedule: Schedule, due: datetime, late: bool) -> ProjectRun | None:
        if schedule.pk == broken.pk:
            raise RuntimeError("a fault of ours")
        return start(schedule, due, late)

    monkeypatch.setattr(firing, "_start", fail_one)
    assert actions.sweep_schedules(SYSTEM, now=DUE) == 2
    assert ProjectRun.objects.get().schedule_id == good.pk
    broken.refresh_from_db()
    assert broken.last_due_ms == int(MADE.timestamp() * 1000), "it is not seen to"


def test_it_looks_with_a_constant_number_of_statements(people: People, django_assert_num_queries: Any) -> None:
    schedule_of(people.ada, make_project(people.ada))
    with django_assert_num_queries(2):
        actions.sweep_schedules(SYSTEM, now=DUE - timedelta(hours=1))
