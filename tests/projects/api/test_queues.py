from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.audit.models import Event
from apps.core.actor import system_actor
from apps.projects import actions
from apps.projects.actions.common import now_ms
from apps.projects.models import Project, ProjectRun, Queue, Quota, Worker
from tests.api import call, names
from tests.personas import People
from tests.projects.making import make_project, make_run, make_worker

pytestmark = pytest.mark.django_db


def test_the_default_queue_comes_first(people: People) -> None:
    call(people.root, "POST", "queues/", {"name": "a-gpu", "description": "Cards."}, expect=201)
    listed = call(people.vera, "GET", "queues/")
    assert names(listed, "name") == ["default", "a-gpu"]
    assert names(listed, "is_served") == [False, False]
    assert Event.objects.get(code="queue.created").object_name == "a-gpu"


def test_a_queue_says_what_is_in_it_and_who_serves_it(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    waiting = make_run(people.ben, make_project(people.ben, "other"))
    worker = make_worker()
    actions.claim_run(system_actor(), worker=worker, queues=["default"])
    shown = call(people.cleo, "GET", "queues/default/")
    assert (shown["waiting"], shown["running"], shown["workers"], shown["is_served"]) == (1, 1, ["w-1"], True)
    actions.drain_worker(people.root.actor, worker=worker)
    assert call(people.cleo, "GET", "queues/default/")["is_served"] is False
    Worker.objects.update(seen_ms=now_ms() - 60_000)
    assert call(people.cleo, "GET", "queues/default/")["workers"] == []
    assert waiting.state == "queued"


def test_changes(people: People) -> None:
    changed = call(people.root, "PATCH", "queues/default/", {"is_paused": True, "max_running": 3})
    assert (changed["is_paused"], changed["max_running"], changed["description"]) == (True, 3, "")
    assert call(people.root, "PATCH", "queues/default/", {"max_running": None})["max_running"] is None
    event = Event.objects.filter(code="queue.changed").earliest("pk")
    assert (event.before, event.after) == (
        {"is_paused": False, "max_running": None},
        {"is_paused": True, "max_running": 3},
    )
    call(people.root, "PATCH", "queues/default/", {"max_running": None})
    assert Event.objects.filter(code="queue.changed").count() == 2


@pytest.mark.parametrize(
    "body", [{}, {"name": "Gpu"}, {"name": "-a"}, {"name": "a b"}, {"name": "a", "max_running": 0}]
)
def test_bad_input_makes_no_queue(people: People, body: Any) -> None:
    call(people.root, "POST", "queues/", body, expect=400)
    assert Queue.objects.count() == 1


def test_a_name_is_taken_once(people: People) -> None:
    answer = call(people.root, "POST", "queues/", {"name": "default"}, expect=400)
    assert answer["error_code"] == "RESOURCE_ALREADY_EXISTS"


def test_only_an_unused_queue_is_deleted(people: People) -> None:
    call(people.root, "DELETE", "queues/default/", expect=409)
    call(people.root, "POST", "queues/", {"name": "gpu"}, expect=201)
    project = make_project(people.ada, queue="gpu")
    run = make_run(people.ada, project)
    assert "wait or go on" in call(people.root, "DELETE", "queues/gpu/", expect=409)["message"]
    actions.cancel_run(people.ada.actor, run=run)
    assert "projects start" in call(people.root, "DELETE", "queues/gpu/", expect=409)["message"]
    Project.objects.update(queue="default")
    call(people.root, "DELETE", "queues/gpu/", expect=204)
    call(people.root, "DELETE", "queues/gpu/", expect=404)


def test_who_may(people: People) -> None:
    for who in (people.cleo, people.vera, people.ada, people.max):
        call(who, "POST", "queues/", {"name": "mine"}, expect=403)
        call(who, "PATCH", "queues/default/", {"is_paused": True}, expect=403)
        call(who, "GET", "quotas/", expect=403)
    call(people.root, "PUT", "queues/default/", expect=405)


class TestWorkers:
    def test_what_they_do(self, people: People) -> None:
        mine, other = make_run(people.ada, make_project(people.ada)), make_run(people.cleo, make_project(people.cleo))
        worker = make_worker(abilities={"isolation": "sandboxed", "gpus": ["0"], "lacks": ["memory: no."]})
        for _ in range(2):
            actions.claim_run(system_actor(), worker=worker, queues=["default"])
        (shown,) = call(people.vera, "GET", "workers/")["results"]
        assert (shown["status"], shown["busy"], shown["concurrency"]) == ("alive", 2, 2)
        assert names({"results": shown["runs"]}, "id") == [str(mine.pk)]
        assert (shown["isolation"], shown["gpus"], shown["lacks"][0]) == ("sandboxed", ["0"], "memory: no.")
        assert any(said.startswith("docker: ") for said in shown["lacks"])
        assert ProjectRun.objects.get(pk=other.pk).worker_id == worker.pk

    def test_one_that_is_silent_is_gone(self, people: People) -> None:
        make_worker()
        Worker.objects.update(seen_ms=now_ms() - 60_000)
        assert names(call(people.vera, "GET", "workers/"), "status") == ["gone"]

    def test_drain_and_resume(self, people: People) -> None:
        make_run(people.ada, make_project(people.ada))
        worker = make_worker()
        assert call(people.root, "POST", "workers/w-1/drain/")["status"] == "draining"
        call(people.root, "POST", "workers/w-1/drain/")
        assert Event.objects.filter(code="worker.drained").count() == 1
        assert call(people.root, "POST", "workers/w-1/resume/")["status"] == "alive"
        assert actions.claim_run(system_actor(), worker=worker, queues=["default"]) is not None
        call(people.ada, "POST", "workers/w-1/drain/", expect=403)
        call(people.root, "POST", "workers/none/drain/", expect=404)

    def test_statements(self, people: People, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        for number in range(5):
            make_worker(f"w-{number}")
        with django_assert_max_num_queries(6):
            call(people.vera, "GET", "workers/")
        with django_assert_max_num_queries(6):
            call(people.vera, "GET", "queues/")


class TestQuotas:
    def test_setting_one(self, people: People) -> None:
        body = {"max_running": 2, "archive_bytes": 10**9}
        assert call(people.root, "PUT", "quotas/forge/", body) == {"team": "forge", "max_queued": None, **body}
        assert names(call(people.root, "GET", "quotas/"), "team") == ["forge"]
        call(people.root, "PUT", "quotas/forge/", {})
        quota = Quota.objects.get()
        assert (quota.max_running, quota.max_queued, quota.archive_bytes) == (None, None, None)
        assert Event.objects.filter(code="quota.set").count() == 2

    def test_it_holds(self, people: People) -> None:
        call(people.root, "PUT", "quotas/forge/", {"max_queued": 1})
        project = make_project(people.ada)
        call(people.ada, "POST", "project-runs/", {"project": project.pk}, expect=201)
        call(people.ada, "POST", "project-runs/", {"project": project.pk}, expect=409)

    @pytest.mark.parametrize("body", [{"max_running": -1}, {"max_queued": "many"}, {"archive_bytes": 2**60}])
    def test_bad_input(self, people: People, body: Any) -> None:
        call(people.root, "PUT", "quotas/forge/", body, expect=400)
        call(people.root, "PUT", "quotas/none/", {}, expect=404)
        assert not Quota.objects.exists()
