"""The pages of workers and queues."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.core.actor import system_actor
from apps.projects import actions
from apps.projects.actions.common import now_ms
from apps.projects.models import Queue, Quota, Worker
from tests.personas import People, Persona
from tests.projects.making import make_project, make_run, make_worker

pytestmark = pytest.mark.django_db


def page(who: Persona, path: str, status: int = 200, **headers: str) -> str:
    answer = who.browser().get(path, headers=headers)
    assert answer.status_code == status
    return str(answer.content.decode())


def post(who: Persona, path: str, data: Any = None) -> Any:
    return who.browser().post(path, data or {})


class TestWorkers:
    def test_what_they_do_with_links_to_what_one_may_see(self, people: People) -> None:
        mine, other = make_run(people.ada, make_project(people.ada)), make_run(people.cleo, make_project(people.cleo))
        worker = make_worker(abilities={"isolation": "sandboxed", "gpus": ["0"], "lacks": ["memory: not held here."]})
        for _ in range(2):
            actions.claim_run(system_actor(), worker=worker, queues=["default"])
        shown = page(people.vera, "/workers/")
        assert f'href="/project-runs/{mine.pk}/"' in shown
        assert f'href="/project-runs/{other.pk}/"' not in shown
        for said in ("w-1", "2 of 2", "1 run of others", "sandboxed", "memory: not held here.", "docker: no engine"):
            assert said in shown

    def test_queues_that_nobody_serves_and_nobody_made(self, people: People) -> None:
        assert "slipway worker --queues default" in page(people.vera, "/workers/")
        make_worker(queues=["defualt"])
        shown = page(people.vera, "/workers/")
        assert "slipway worker --queues default" in shown
        assert "serves the queue defualt, which nobody has made" in shown
        Worker.objects.update(queues=["default"], is_draining=True)
        assert "All workers of the queue default are draining" in page(people.vera, "/workers/")

    def test_one_that_has_gone_is_greyed(self, people: People) -> None:
        make_worker()
        assert "worker-gone" not in page(people.vera, "/workers/")
        Worker.objects.update(seen_ms=now_ms() - 60_000)
        assert "worker-gone" in page(people.vera, "/workers/")

    def test_none(self, people: People) -> None:
        assert "No worker yet" in page(people.vera, "/workers/")

    def test_draining_is_for_administrators(self, people: People) -> None:
        worker = make_worker()
        assert "/drain/" not in page(people.vera, "/workers/")
        assert "/workers/w-1/drain/" in page(people.root, "/workers/")
        assert post(people.max, "/workers/w-1/drain/").status_code == 403
        assert post(people.root, "/workers/w-1/drain/").status_code == 302
        worker.refresh_from_db()
        assert worker.is_draining
        post(people.root, "/workers/w-1/resume/")
        worker.refresh_from_db()
        assert not worker.is_draining
        assert post(people.root, "/workers/none/drain/").status_code == 404
        assert people.root.browser().get("/workers/w-1/drain/").status_code == 405

    def test_the_part_that_comes_anew(self, people: People) -> None:
        assert "<html" not in page(people.vera, "/workers/", hx_request="true")


class TestQueues:
    def test_what_is_in_them(self, people: People) -> None:
        Queue.objects.create(name="gpu", description="Cards.", max_running=2, is_paused=True, created_ms=1)
        make_run(people.ada, make_project(people.ada))
        make_worker(host="mill")
        shown = page(people.vera, "/queues/")
        for said in ("Cards.", "Paused", "mill", "slipway worker --queues gpu"):
            assert said in shown
        assert "New queue" not in shown
        assert "What teams may have" not in shown

    def test_making_changing_pausing_deleting(self, people: People) -> None:
        root = people.root
        assert post(root, "/queues/new/", {"name": "gpu", "max_running": "2"}).status_code == 302
        assert post(root, "/queues/gpu/edit/", {"description": "Cards."}).status_code == 302
        post(root, "/queues/gpu/pause/", {"paused": "yes"})
        queue = Queue.objects.get(name="gpu")
        assert (queue.description, queue.max_running, queue.is_paused) == ("Cards.", None, True)
        post(root, "/queues/gpu/pause/", {"paused": "no"})
        queue.refresh_from_db()
        assert not queue.is_paused
        assert post(root, "/queues/gpu/delete/").status_code == 302
        assert not Queue.objects.filter(name="gpu").exists()

    @pytest.mark.parametrize("data", [{}, {"name": "GPU"}, {"name": "default"}, {"name": "x", "max_running": "0"}])
    def test_bad_input(self, people: People, data: Any) -> None:
        assert post(people.root, "/queues/new/", data).status_code == 422
        assert Queue.objects.count() == 1

    def test_one_that_is_needed_stays(self, people: People) -> None:
        answer = post(people.root, "/queues/default/delete/")
        assert answer.status_code == 422
        assert "It can be paused" in answer.content.decode()

    def test_the_quota_of_a_team(self, people: People) -> None:
        assert post(people.root, "/queues/quotas/forge/", {"max_running": "4", "archive_mb": "10"}).status_code == 302
        quota = Quota.objects.get(team=people.forge)
        assert (quota.max_running, quota.max_queued, quota.archive_bytes) == (4, None, 10 * 1024**2)
        assert 'value="10"' in page(people.root, "/queues/quotas/forge/")
        assert "What teams may have" in page(people.root, "/queues/")
        assert "/queues/quotas/forge/" in page(people.root, "/settings/teams/forge/")
        assert post(people.root, "/queues/quotas/forge/", {"max_running": "-1"}).status_code == 422
        assert post(people.max, "/queues/quotas/forge/", {}).status_code == 403
        page(people.root, "/queues/quotas/none/", status=404)


def test_statements(people: People, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(6):
        make_worker(f"w-{number}")
        Queue.objects.create(name=f"q-{number}", created_ms=1)
    browser = people.root.browser()
    with django_assert_max_num_queries(20):
        browser.get("/workers/")
    with django_assert_max_num_queries(20):
        browser.get("/queues/")
