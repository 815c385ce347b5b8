from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from apps.audit.models import Event
from apps.core.actor import Scope, system_actor
from apps.experiments.models import Experiment, Run
from apps.projects import actions
from apps.projects.actions.logs import append_log, store_log
from apps.projects.models import Archive, Project, ProjectRun, Queue, Quota, RunState
from slipway.paths import DataFolder
from tests.api import call, names
from tests.personas import People, Persona, token_for
from tests.projects.api.test_archives import send
from tests.projects.making import end, make_project, make_run, queue

pytestmark = pytest.mark.django_db
LINE = b"2026-11-30T06:40:58.123Z one\n"


@pytest.fixture(autouse=True)
def _data(settings: Any, tmp_path: Path) -> None:
    settings.DATA = DataFolder(tmp_path)
    settings.DATA.make()
    queue()


def start(who: Persona, body: Any, *, expect: int = 201, **headers: str) -> Any:
    return call(who, "POST", "project-runs/", body, expect=expect, **headers)


def test_a_run_of_a_project(people: People) -> None:
    project = make_project(people.ada)
    body = {"project": project.pk, "params": {"alpha": "0.1"}, "experiment_name": "trials", "priority": 80}
    body |= {"limits": {"seconds": 60}, "run_name": "try", "tags": {"mlflow.source.git.commit": "abc", "mine": "1"}}
    run = start(people.ben, body)
    assert (run["state"], run["owner"], run["priority"], run["params"]) == ("queued", "ben", 80, {"alpha": "0.1"})
    assert (run["limits"], run["queue"], run["trigger"]) == ({"seconds": 60}, "default", "person")
    tracked = people.ben.call("GET", "runs/get", {"run_id": run["run_id"]})["run"]
    tags = {tag["key"]: tag["value"] for tag in tracked["data"]["tags"]}
    assert tracked["info"]["status"] == "SCHEDULED"
    assert (tags["mlflow.source.git.commit"], tags["mine"], tags["mlflow.runName"]) == ("abc", "1", "try")
    assert (tags["mlflow.project.backend"], tags["mlflow.source.type"]) == ("slipway", "PROJECT")
    assert Experiment.objects.get(name="trials").pk == int(run["experiment_id"])
    assert Event.objects.filter(code="project_run.queued").count() == 1


def test_a_run_of_an_archive_makes_its_project(people: People) -> None:
    archive = send(people.ada).json()["id"]
    first = start(people.ada, {"archive": int(archive)})
    project = Project.objects.get(name="steps")
    assert (first["project"], first["archive"], first["source_kind"]) == (str(project.pk), archive, "archive")
    assert project.document is not None
    # Another archive of this name is another source of the same project.
    Archive.objects.create(team=people.forge, digest="0" * 64, name="steps", bytes=1, files=1, created_ms=1)
    second = start(people.ben, {"archive": Archive.objects.get(digest="0" * 64).pk})
    assert second["project"] == first["project"]
    assert second["archive"] != first["archive"]


def test_what_is_refused_leaves_neither_project_nor_experiment(people: People) -> None:
    archive = send(people.ada).json()["id"]
    Quota.objects.create(team=people.forge, max_queued=0)
    start(people.ada, {"archive": int(archive), "experiment_name": "trials"}, expect=409)
    assert not Project.objects.exists() and not Experiment.objects.filter(name="trials").exists()
    assert not Event.objects.filter(
        code__in=("project.created", "experiment.created"), object_name__in=("steps", "trials")
    )


def test_an_archive_without_a_name_is_given_one(people: People) -> None:
    archive = send(people.ada).json()["id"]
    assert start(people.ada, {"archive": int(archive), "project_name": "mine"})["project_name"] == "mine"
    Archive.objects.update(name="")
    refused = start(people.ada, {"archive": int(archive)}, expect=400)
    assert "project's name" in refused["message"]


def test_asked_twice_under_one_key_it_is_one(people: People) -> None:
    body = {"project": make_project(people.ada).pk}
    first = start(people.ada, body, idempotency_key="k1")
    assert start(people.ada, body, idempotency_key="k1")["id"] == first["id"]
    assert start(people.ben, body, idempotency_key="k1")["id"] != first["id"]
    assert Run.objects.count() == ProjectRun.objects.count() == 2
    start(people.ada, body, idempotency_key="k" * 101, expect=400)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"queue": "none"}, "no queue 'none'"),
        ({"priority": 101}, "priority"),
        ({"limits": {"cpu": 2}}, "limits"),
        ({"limits": {"seconds": 0}}, "limits.seconds"),
        ({"params": {"alpha": ["x"]}}, "params"),
        ({"retries": -1}, "retries"),
        ({"params": "x"}, "params"),
    ],
)
def test_bad_input_queues_nothing(people: People, more: Any, said: str) -> None:
    answer = start(people.ada, {"project": make_project(people.ada).pk, **more}, expect=400)
    assert said in answer["message"]
    assert not ProjectRun.objects.exists()
    assert not Run.objects.exists()


def test_a_project_or_archive_is_named(people: People) -> None:
    assert "Name a project" in start(people.ada, {}, expect=400)["message"]
    start(people.ada, {"project": 10**9}, expect=404)
    start(people.ada, {"archive": 10**9}, expect=404)


def test_a_child_names_its_parent(people: People) -> None:
    project = make_project(people.ada)
    parent = make_run(people.ada, project)
    assert parent.run is not None
    child = start(people.ada, {"project": project.pk, "parent_run_id": parent.run.run_id})
    assert child["parent_id"] == str(parent.pk)
    tags = Run.objects.get(run_id=child["run_id"]).tags
    assert tags.get(key="mlflow.parentRunId").value == parent.run.run_id
    start(people.ada, {"project": project.pk, "parent_run_id": "0" * 32}, expect=404)
    # Nobody becomes a child of what they can't write to.
    forged = start(people.ada, {"project": project.pk, "tags": {"mlflow.parentRunId": "0" * 32}})
    assert not Run.objects.get(run_id=forged["run_id"]).tags.filter(key="mlflow.parentRunId").exists()


def test_who_may(people: People) -> None:
    project = make_project(people.ada)
    path = f"project-runs/{make_run(people.ada, project).pk}/"
    for who, status in ((people.cleo, 404), (people.vera, 403)):
        start(who, {"project": project.pk}, expect=status)
        call(who, "POST", path + "cancel/", expect=status)
        call(who, "POST", path + "again/", expect=status)
    call(people.vera, "GET", path)
    call(people.cleo, "GET", path, expect=404)
    call(people.ada, "DELETE", path, expect=405)
    tracking = Persona(people.ada.user, token_for(people.ada.user, Scope.TRACKING))
    assert call(tracking, "GET", path, expect=403)["error_code"] == "PERMISSION_DENIED"
    call(Persona(people.ada.user, token_for(people.ada.user, Scope.READ)), "GET", path)


def test_cancelling(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    path = f"project-runs/{run.pk}/cancel/"
    answer = call(people.ben, "POST", path, {"reason": "A typo."})
    assert (answer["state"], answer["cancelled_by"], answer["cancel_reason"]) == ("cancelled", "ben", "A typo.")
    assert call(people.ben, "POST", path, expect=409)["error_code"] == "RESOURCE_CONFLICT"
    call(people.ben, "POST", path, {"reason": "x" * 501}, expect=400)


def test_again_with_changes(people: People) -> None:
    project = make_project(people.ada)
    run = make_run(people.ada, project, params={"alpha": "0.1"}, priority=70, entry_point="main")
    ProjectRun.objects.filter(pk=run.pk).update(commit="c" * 40)
    again = call(people.ben, "POST", f"project-runs/{run.pk}/again/", {"priority": 90}, expect=201)
    assert (again["repeats_id"], again["priority"], again["params"]) == (str(run.pk), 90, {"alpha": "0.1"})
    assert (again["source_version"], again["experiment_id"]) == ("c" * 40, str(run.experiment_id))
    Project.objects.filter(pk=project.pk).delete()
    call(people.ada, "POST", f"project-runs/{run.pk}/again/", expect=409)


def test_again_where_the_files_are_gone(people: People) -> None:
    run = start(people.ada, {"archive": int(send(people.ada).json()["id"])})
    ProjectRun.objects.update(archive=None)
    answer = call(people.ada, "POST", f"project-runs/{run['id']}/again/", expect=409)
    assert "not kept" in answer["message"]


def test_lists(people: People, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    Queue.objects.create(name="gpu", created_ms=1)
    project = make_project(people.ada)
    first, second = make_run(people.ada, project), make_run(people.ben, project, queue="gpu")
    actions.cancel_run(people.ada.actor, run=first)

    def ids(who: Persona, **query: Any) -> list[str]:
        return names(call(who, "GET", "project-runs/", query), "id")

    assert ids(people.vera) == [str(second.pk), str(first.pk)]
    assert ids(people.vera, state="cancelled") == ids(people.vera, state="ended") == [str(first.pk)]
    assert ids(people.vera, queue="gpu") == ids(people.vera, owner="ben") == [str(second.pk)]
    assert ids(people.ben, mine="true") == [str(second.pk)]
    assert ids(people.vera, project=project.pk + 1) == ids(people.cleo) == []
    call(people.vera, "GET", "project-runs/", {"state": "odd"}, expect=400)
    with django_assert_max_num_queries(4):
        ids(people.vera)


class TestLog:
    def test_from_an_offset(self, people: People) -> None:
        run = running(people)
        append(run, 0, LINE * 2)
        whole, rest = log(people.vera, run), log(people.vera, run, offset=len(LINE))
        assert (whole[0], rest[0]) == (LINE * 2, LINE)
        assert whole[1:] == rest[1:] == (2 * len(LINE), "false")

    def test_at_the_end(self, people: People) -> None:
        run = running(people)
        append(run, 0, LINE)
        actions.end_attempt(system_actor(), run=run, ending=actions.Ending(RunState.FINISHED, "", 0))
        assert log(people.vera, run) == (LINE, len(LINE), "true")
        run.refresh_from_db()
        store_log(run=run)
        assert log(people.vera, run, offset=5) == (LINE[5:], len(LINE), "true")
        assert log(people.vera, run, offset=1000, wait=20) == (b"", 1000, "true")

    def test_nothing_yet(self, people: People) -> None:
        run = make_run(people.ada, make_project(people.ada))
        assert log(people.vera, run, wait=0.01) == (b"", 0, "false")

    def test_who_asks_for_text_gets_it(self, people: People) -> None:
        run = running(people)
        answer = people.ada.request("GET", f"/api/v1/project-runs/{run.pk}/log/", accept="text/plain")
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")

    @pytest.mark.parametrize("query", [{"offset": -1}, {"offset": "x"}, {"wait": 26}])
    def test_bad_input(self, people: People, query: Any) -> None:
        run = make_run(people.ada, make_project(people.ada))
        call(people.ada, "GET", f"project-runs/{run.pk}/log/", query, expect=400)

    def test_others_see_none(self, people: People) -> None:
        run = make_run(people.ada, make_project(people.ada))
        call(people.cleo, "GET", f"project-runs/{run.pk}/log/", expect=404)


@pytest.mark.django_db(transaction=True)
def test_who_waits_hears_of_the_next_line(people: People) -> None:
    queue()
    run = running(people)
    heard: list[Any] = []

    def wait() -> None:
        heard.append(log(people.vera, run, wait=25))
        connection.close()

    waiting = threading.Thread(target=wait)
    waiting.start()
    append(run, 0, LINE)
    waiting.join(20)
    assert heard == [(LINE, len(LINE), "false")]


def running(people: People) -> ProjectRun:
    """A run that a worker has."""
    run = make_run(people.ada, make_project(people.ada))
    system = system_actor()
    worker = actions.register_worker(
        system, name="w", host="h", pid=1, queues=["default"], concurrency=1, abilities={}, version=""
    )
    held = actions.claim_run(system, worker=worker, queues=["default"])
    assert held is not None
    assert held.pk == run.pk
    actions.start_run(system, run=held)
    return held


def append(run: ProjectRun, start: int, data: bytes) -> None:
    append_log(run_id=run.pk, fence=run.fence, start=start, data=data, lines=1, tail="", is_cut=False)


def log(who: Persona, run: ProjectRun, **query: Any) -> tuple[bytes, int, str]:
    """The text, where it ends, and whether that is the end."""
    answer = who.request("GET", f"/api/v1/project-runs/{run.pk}/log/", query)
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content), int(answer["X-Log-Offset"]), answer["X-Log-Ended"]


def test_what_has_ended_shows_how(people: People) -> None:
    run = end(make_run(people.ada, make_project(people.ada)), RunState.FAILED)
    shown = call(people.ada, "GET", f"project-runs/{run.pk}/")
    assert (shown["state"], shown["exit_code"], shown["attempt"]) == ("failed", 1, 1)
