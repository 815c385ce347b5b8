from __future__ import annotations

from typing import Any

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from apps.audit.models import Event
from apps.projects.models import Project, Schedule
from tests.api import call, names
from tests.personas import People, Persona
from tests.projects.making import make_project

NIGHTLY = {"name": "nightly", "cron": "0 3 * * mon-fri", "timezone": "Europe/Berlin"}


@pytest.fixture
def project(people: People) -> Project:
    return make_project(people.ada)


def make(who: Persona, project: Project, **more: Any) -> Any:
    return call(who, "POST", "schedules/", {"project": project.pk, **NIGHTLY, **more}, expect=201)


def test_a_schedule_is_made(people: People, project: Project) -> None:
    asks = {"entry_point": "main", "params": {"alpha": "0.9"}, "limits": {"seconds": 60}}
    made = make(people.ben, project, asks=asks, missed="once", overlap="queue")
    assert (made["project"], made["owner"], made["in_words"]) == (
        str(project.pk),
        "ben",
        "At 03:00, Monday through Friday",
    )
    assert (made["asks"], made["missed"], made["overlap"], made["is_paused"]) == (asks, "once", "queue", False)
    assert made["next_ms"] is not None and made["last_run_id"] is None
    told = Event.objects.get(code="schedule.created")
    assert told.after is not None
    assert (told.actor_name, told.object_name, told.after["cron"]) == ("ben", "nightly of iris", "0 3 * * mon-fri")


def test_the_clock_has_an_entry_for_it(people: People, project: Project) -> None:
    made = make(people.ben, project)
    beat = PeriodicTask.objects.get(task="projects.fire_schedule")
    assert (beat.args, beat.enabled) == (f"[{made['id']}]", True)
    assert beat.crontab is not None
    assert (beat.crontab.hour, beat.crontab.day_of_week, str(beat.crontab.timezone)) == (
        "3",
        "1,2,3,4,5",
        "Europe/Berlin",
    )

    call(people.ben, "PATCH", f"schedules/{made['id']}/", {"cron": "30 4 * * *", "is_paused": True})
    beat.refresh_from_db()
    assert (beat.crontab.hour, beat.crontab.minute, beat.enabled) == ("4", "30", False)

    call(people.ben, "DELETE", f"schedules/{made['id']}/", expect=204)
    assert not PeriodicTask.objects.filter(task="projects.fire_schedule").exists()
    assert not CrontabSchedule.objects.exists()


def test_nothing_of_it_stays_where_its_project_goes(people: People, project: Project) -> None:
    make(people.ada, project)
    call(people.ada, "DELETE", f"projects/{project.pk}/", expect=204)
    assert not PeriodicTask.objects.filter(task="projects.fire_schedule").exists()
    assert not CrontabSchedule.objects.exists()


def test_whoever_changes_it_becomes_its_owner(people: People, project: Project) -> None:
    made = make(people.ada, project)
    changed = call(people.ben, "PATCH", f"schedules/{made['id']}/", {"asks": {"params": {"alpha": "1"}}})
    assert (changed["owner"], changed["name"], changed["cron"]) == ("ben", "nightly", "0 3 * * mon-fri")


def test_whoever_pauses_it_does_not(people: People, project: Project) -> None:
    made = make(people.ada, project)
    paused = call(people.ben, "PATCH", f"schedules/{made['id']}/", {"is_paused": True})
    assert (paused["owner"], paused["is_paused"], paused["next_ms"]) == ("ada", True, None)
    assert Event.objects.filter(code="schedule.changed").count() == 1
    call(people.ben, "PATCH", f"schedules/{made['id']}/", {"is_paused": True})
    assert Event.objects.filter(code="schedule.changed").count() == 1


def test_names_are_unique_within_a_project(people: People, project: Project) -> None:
    make(people.ada, project)
    answer = call(people.ada, "POST", "schedules/", {"project": project.pk, **NIGHTLY}, expect=400)
    assert answer["error_code"] == "RESOURCE_ALREADY_EXISTS"
    make(people.ada, make_project(people.ada, "other"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"cron": "61 * * * *"}, "cron: minute: '61'"),
        ({"timezone": "Mars"}, "timezone: there is no time zone 'Mars'"),
        ({"name": " "}, "name: 1 to 100"),
        ({"name": "x\x00"}, "name:"),
        ({"missed": "twice"}, "missed: "),
        ({"asks": {"priority": 101}}, "asks: "),
        ({"asks": {"limits": {"seconds": 0}}}, "limits.seconds has to be more than 0"),
        ({"asks": {"limits": {"fuel": 1}}}, "fuel"),
        ({"project": "x"}, "project: "),
    ],
)
def test_bad_input_is_named(people: People, project: Project, given: dict[str, Any], why: str) -> None:
    answer = call(people.ada, "POST", "schedules/", {"project": project.pk, **NIGHTLY, **given}, expect=400)
    assert why in answer["message"]
    assert not Schedule.objects.exists()


def test_who_may_not_start_runs_makes_no_schedules(people: People, project: Project) -> None:
    given = {"project": project.pk, **NIGHTLY}
    call(people.vera, "POST", "schedules/", given, expect=403)
    call(people.cleo, "POST", "schedules/", given, expect=404)
    made = make(people.ada, project)
    for verb, body in (("PATCH", {"is_paused": True}), ("DELETE", None)):
        call(people.vera, verb, f"schedules/{made['id']}/", body, expect=403)
        call(people.cleo, verb, f"schedules/{made['id']}/", body, expect=404)
    assert call(people.vera, "GET", f"schedules/{made['id']}/")["name"] == "nightly"
    call(people.cleo, "GET", f"schedules/{made['id']}/", expect=404)
    call(people.ada, "PUT", f"schedules/{made['id']}/", expect=405)


def test_lists_show_what_one_may_read(people: People, project: Project, django_assert_num_queries: Any) -> None:
    other = make_project(people.ada, "other")
    for place in range(3):
        make(people.ada, project, name=f"at {place}")
    make(people.ada, other)
    with django_assert_num_queries(4):
        assert len(call(people.vera, "GET", "schedules/")["results"]) == 4
    assert names(call(people.vera, "GET", f"schedules/?project={project.pk}"), "name") == ["at 2", "at 1", "at 0"]
    assert call(people.cleo, "GET", "schedules/")["results"] == []


def test_a_line_is_explained_before_it_is_kept(people: People) -> None:
    said = call(people.vera, "GET", "schedules/preview/?cron=0+3+*+*+*&timezone=Asia/Tokyo")
    assert said["in_words"] == "At 03:00"
    assert len(said["times"]) == 5 and all(moment.endswith("T03:00:00+09:00") for moment in said["times"])
    assert "hour: '25'" in call(people.vera, "GET", "schedules/preview/?cron=0+25+*+*+*", expect=400)["message"]
