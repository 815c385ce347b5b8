from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts.actions import give_grant
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.audit.models import Event
from apps.core.actor import Level, system_actor
from apps.projects import actions
from apps.projects.actions.common import now_ms
from apps.projects.models import Project, ProjectRun, Queue, Quota, RunState, Worker
from tests.personas import People
from tests.projects.making import end, make_project, make_run
from tests.projects.web.test_project_pages import text_of
from tests.registry.web.asking import HTMX


def address(run: ProjectRun, rest: str = "") -> str:
    return f"/project-runs/{run.pk}/{rest}"


def live_worker(*queues: str, concurrency: int = 2) -> Worker:
    return actions.register_worker(
        system_actor(), name="w", host="h", pid=1, queues=queues, concurrency=concurrency, abilities={}, version=""
    )


def test_the_list_is_the_queue(people: People) -> None:
    project = make_project(people.ada)
    first, second = make_run(people.ada, project), make_run(people.ben, project, priority=60)
    end(second)
    third = make_run(people.ben, project, priority=90)
    page = text_of(people.vera, "/project-runs/")
    for run in (first, second, third):
        assert address(run) in page
    assert "place 1" in page and "place 2" in page and "Finished" in page
    assert text_of(people.cleo, "/project-runs/").count("/project-runs/1") == 0
    assert people.vera.browser().post("/project-runs/").status_code == 405


def test_the_list_is_narrowed(people: People) -> None:
    project, wine = make_project(people.ada), make_project(people.ada, "wine")
    done = end(make_run(people.ada, project))
    Queue.objects.create(name="gpu", created_ms=1)
    waits = make_run(people.ben, wine, queue="gpu")
    for query, found, left_out in (
        ("state=queued", waits, done),
        ("state=finished", done, waits),
        ("state=active", waits, done),
        ("state=ended", done, waits),
        ("queue=gpu", waits, done),
        ("q=win", waits, done),
        ("mine=1", done, waits),
    ):
        part = text_of(people.ada, f"/project-runs/?{query}", headers=HTMX)
        assert f'"{address(found)}"' in part and f'"{address(left_out)}"' not in part, query
    assert "No run matches" in text_of(people.ada, "/project-runs/?state=lost")
    assert f'"{address(done)}"' in text_of(people.ada, "/project-runs/?state=nonsense&queue=%00")


@pytest.mark.parametrize("count", [1, 8])
def test_the_list_costs_the_same_for_many(
    people: People, django_assert_max_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    project = make_project(people.ada)
    for _ in range(count):
        make_run(people.ada, project)
    browser = people.ada.browser()
    browser.get("/project-runs/")
    with django_assert_max_num_queries(13):
        browser.get("/project-runs/")


@pytest.mark.parametrize("count", [1, 8])
def test_a_run_costs_the_same_however_much_is_about_it(
    people: People, django_assert_max_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    project = make_project(people.ada)
    run = make_run(people.ada, project, params={f"p{place}": "1" for place in range(count)})
    for _ in range(count):
        end(make_run(people.ada, project, priority=60))
    ProjectRun.objects.exclude(pk=run.pk).update(parent=run)
    assert run.run is not None
    for place in range(count):
        log = {"run_id": run.run.run_id, "key": f"m{place}", "value": 1, "timestamp": 1, "step": 0}
        people.ada.call("POST", "runs/log-metric", log)
    browser = people.ada.browser()
    browser.get(address(run))
    with django_assert_max_num_queries(28):
        browser.get(address(run))


def test_a_waiting_run_says_where_it_stands_and_why(people: People) -> None:
    project = make_project(people.ada)
    first, run = make_run(people.ada, project), make_run(people.ada, project)
    page = text_of(people.vera, address(run))
    assert "Place 2 in the queue default" in page and "No worker serves the queue default" in page
    assert "1 run stands before it" in page
    worker = live_worker("default")
    assert "A worker is about to take it" in text_of(people.vera, address(first))
    Worker.objects.update(is_draining=True)
    assert "being drained" in text_of(people.vera, address(first))
    Worker.objects.update(is_draining=False, concurrency=0)
    assert "are at work" in text_of(people.vera, address(first))
    Worker.objects.update(seen_ms=now_ms() - 60_000)
    assert "No worker serves" in text_of(people.vera, address(first))
    Queue.objects.update(is_paused=True, max_running=0)
    paused = text_of(people.vera, address(first))
    assert "is paused" in paused and "as many as it may: 0" in paused
    Quota.objects.create(team=people.forge, max_running=0)
    assert "The team runs as many" in text_of(people.vera, address(first))
    Project.objects.update(max_running=0)
    assert "The project runs as many" in text_of(people.vera, address(first))
    ProjectRun.objects.filter(pk=first.pk).update(not_before_ms=now_ms() + 90_000, gpus=1)
    assert "It is tried again in 1 min" in text_of(people.vera, address(first))
    Worker.objects.filter(pk=worker.pk).update(seen_ms=now_ms(), concurrency=2)
    assert "as many GPUs" in text_of(people.vera, address(first))
    Queue.objects.all().delete()
    assert "is gone" in text_of(people.vera, address(first))


def test_a_run_shows_its_way(people: People) -> None:
    project = make_project(people.ada)
    run = make_run(people.ada, project, params={"alpha": "0.7"}, env_vars={"MODE": "fast"})
    held = actions.claim_run(system_actor(), worker=live_worker("default"), queues=["default"])
    assert held is not None
    assert "Preparing" in text_of(people.vera, address(run))
    actions.start_run(system_actor(), run=held)
    page = text_of(people.vera, address(run))
    assert 'aria-current="step"' in page and "python train.py 0.7" in page and "MODE=fast" in page
    actions.end_attempt(system_actor(), run=held, ending=actions.Ending(RunState.FAILED, "It ended with code 3.", 3))
    page = text_of(people.vera, address(run))
    assert "It ended with code 3." in page and "Exit code 3" in page and "Failed" in page
    assert "panel=state" not in page


def test_the_state_is_fetched_alone_and_tells_what_changed(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    same = text_of(people.ben, f"{address(run)}?panel=state&seen=queued", headers=HTMX)
    assert "every 2s" in same and "hx-swap-oob" not in same and "<html" not in same
    actions.cancel_run(people.ada.actor, run=run, reason="typo")
    answer = people.ben.browser().get(f"{address(run)}?panel=state&seen=queued", headers=HTMX)
    assert answer.headers["HX-Trigger"] == "slipway:ended"
    assert "No metrics were logged." in text_of(people.ben, f"{address(run)}?panel=metrics", headers=HTMX)
    changed = answer.content.decode()
    assert changed.count("hx-swap-oob") == 3 and "every 2s" not in changed and "Cancelled by ada: typo" in changed


def test_cancelling_asks_why(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    browser = people.ben.browser()
    assert "Reason" in browser.get(address(run, "cancel/"), headers=HTMX).content.decode()
    assert browser.post(address(run, "cancel/"), {"reason": "wrong\x00"}, headers=HTMX).status_code == 422
    answer = browser.post(address(run, "cancel/"), {"reason": "wrong data"}, headers=HTMX)
    assert answer["HX-Redirect"] == address(run)
    run.refresh_from_db()
    assert (run.state, run.cancelled_by, run.cancel_reason) == (RunState.CANCELLED, "ben", "wrong data")
    again = browser.post(address(run, "cancel/"), {"reason": ""}, headers=HTMX)
    assert again.status_code == 422 and "has ended already" in again.content.decode()


def test_who_may_not_cancel(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    assert people.vera.browser().post(address(run, "cancel/")).status_code == 403
    assert people.cleo.browser().post(address(run, "cancel/")).status_code == 404
    page = text_of(people.vera, address(run))
    assert f'"{address(run, "cancel/")}"' not in page and "Run again" not in page
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_several_are_cancelled_at_once(people: People) -> None:
    project = make_project(people.ada)
    runs = [make_run(people.ada, project) for _ in range(3)]
    end(runs[0])
    browser = people.ben.browser()
    answer = browser.post("/project-runs/cancel/", {"run": [run.pk for run in runs], "reason": "too many"}, follow=True)
    assert "2 runs are cancelled." in answer.content.decode() and "has ended already" in answer.content.decode()
    states = list(ProjectRun.objects.order_by("pk").values_list("state", flat=True))
    assert states == [RunState.FINISHED, RunState.CANCELLED, RunState.CANCELLED]
    assert set(ProjectRun.objects.filter(state=RunState.CANCELLED).values_list("cancel_reason", flat=True)) == {
        "too many"
    }
    for keys in ([], ["x"], ["-1"]):
        assert browser.post("/project-runs/cancel/", {"run": keys}).status_code == 400
    assert browser.get("/project-runs/cancel/").status_code == 405
    other = make_run(people.ada, project)
    people.cleo.browser().post("/project-runs/cancel/", {"run": [other.pk]})
    other.refresh_from_db()
    assert other.state == RunState.QUEUED


def test_beside_the_last_that_finished(people: People) -> None:
    project = make_project(people.ada)
    before = end(make_run(people.ada, project, params={"alpha": "0.5"}))
    run = make_run(people.ada, project, params={"alpha": "0.9", "depth": "3"})
    page = text_of(people.vera, address(run))
    assert "The last that finished" in page and "params.alpha" in page and "params.depth" in page
    assert before.run is not None and run.run is not None
    assert f"/compare/?runs={before.run.run_id},{run.run.run_id}" in page


def test_a_project_that_is_shared_shows_no_metrics_of_an_experiment_that_is_not(people: People) -> None:
    project = make_project(people.ada)
    run = make_run(people.ada, project)
    assert run.run is not None
    log = {"run_id": run.run.run_id, "key": "secret_loss", "value": 1, "timestamp": 1, "step": 0}
    people.ada.call("POST", "runs/log-metric", log)
    assert "secret_loss" in text_of(people.ben, address(run))
    target = kind_of(ObjectKind.PROJECT).find(system_actor(), str(project.pk), Level.MANAGE)
    give_grant(system_actor(), target=target, to=people.cleo.user, level=Level.READ)
    page = text_of(people.cleo, address(run))
    assert "secret_loss" not in page and run.run.run_id not in page


def test_metrics_come_alone(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    assert run.run is not None
    assert "No metrics yet" in text_of(people.vera, f"{address(run)}?panel=metrics", headers=HTMX)
    for place in range(14):
        log = {"run_id": run.run.run_id, "key": f"m{place:02}", "value": 1, "timestamp": 1, "step": 0}
        people.ada.call("POST", "runs/log-metric", log)
    part = text_of(people.vera, f"{address(run)}?panel=metrics", headers=HTMX)
    assert 'data-key="m11"' in part and 'data-key="m12"' not in part and "All 14 metrics" in part


def test_the_page_of_the_tracking_run_leads_here(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    assert run.run is not None
    part = text_of(people.vera, f"/project-runs/of/?run={run.run.run_id}", headers=HTMX)
    assert address(run) in part
    assert text_of(people.cleo, f"/project-runs/of/?run={run.run.run_id}", headers=HTMX).strip() == ""
    assert "/project-runs/of/?run=" in text_of(people.vera, f"/runs/{run.run.run_id}/")


def test_the_home_page_shows_what_is_at_work(people: People) -> None:
    project = make_project(people.ada)
    assert "Project runs at work" not in text_of(people.vera, "/project-runs/active/", headers=HTMX)
    run = make_run(people.ada, project)
    assert address(run) in text_of(people.vera, "/project-runs/active/", headers=HTMX)
    assert "/project-runs/active/" in text_of(people.vera, "/")
    assert address(run) not in text_of(people.cleo, "/project-runs/active/", headers=HTMX)


def test_activity_and_the_audit_log_lead_to_the_pages(people: People) -> None:
    project = make_project(people.ada)
    run = make_run(people.ada, project)
    actions.cancel_run(people.ben.actor, run=run, reason="typo")
    page = text_of(people.vera, address(run, "activity/"))
    assert "queued the project run" in page and "asked to cancel" in page
    assert address(run) in text_of(people.max, "/audit/")
    assert people.vera.browser().get(f"/project/{project.pk}/")["Location"] == "/projects/forge/iris/"
    assert text_of(people.cleo, address(run, "activity/"), 404)
    assert Event.objects.filter(object_kind="project_run", object_id=str(run.pk)).count() >= 3


def test_runs_stay_when_their_project_goes(people: People) -> None:
    project = make_project(people.ada)
    run = make_run(people.ada, project)
    browser = people.ada.browser()
    refused = browser.post("/projects/forge/iris/delete/", headers=HTMX)
    assert refused.status_code == 422 and "1 of its runs wait or go on" in refused.content.decode()
    end(run)
    assert people.ben.browser().get("/projects/forge/iris/delete/").status_code == 403
    assert "logged stay" in browser.get("/projects/forge/iris/delete/", headers=HTMX).content.decode()
    assert browser.post("/projects/forge/iris/delete/", headers=HTMX)["HX-Redirect"] == "/projects/"
    page = text_of(people.vera, address(run))
    assert "iris" in page and "Run again" not in page
    assert Event.objects.get(code="project.deleted").object_name == "iris"
