"""What `/metrics` says of a server on which something goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import checks
from apps.core.tasks import heartbeat
from apps.deployments.models import Deployment
from apps.notifications.models import MailOut
from apps.projects.actions.common import now_ms
from apps.projects.models import ProjectRun, Queue
from tests.deployments.making import make_deployment
from tests.personas import People
from tests.projects.making import make_project, make_run, make_worker
from tests.watching.filled import fill, scrape, scraper, traffic, value


def test_what_scripts_log_is_counted(people: People) -> None:
    before = scrape(people)
    fill(people)
    after = scrape(people)
    for what, more in {"calls": 1, "points": 3, "params": 1, "tags": 1}.items():
        name = f"slipway_ingest_{what}"
        assert (value(after, name, f"{name}_total") or 0) - (value(before, name, f"{name}_total") or 0) == more, what


def test_what_is_refused_is_not_counted(people: People) -> None:
    before = scrape(people)
    people.ada.call("POST", "runs/log-metric", {"run_id": "0" * 32, "key": "a", "value": 1, "timestamp": 1}, expect=404)
    name = "slipway_ingest_calls"
    assert value(scrape(people), name, f"{name}_total") == value(before, name, f"{name}_total")


def test_runs_queues_and_workers(people: People) -> None:
    fill(people)
    found = scrape(people)
    # That of the project run waits, as it does.
    assert value(found, "slipway_runs", status="RUNNING") == 1
    assert value(found, "slipway_runs", status="SCHEDULED") == 1
    assert value(found, "slipway_runs", status="FAILED") == 0
    assert value(found, "slipway_project_runs", kind="project", state="queued") == 1
    assert value(found, "slipway_project_queue_waiting", queue="default") == 1
    assert value(found, "slipway_project_queue_workers", queue="default") == 1
    assert value(found, "slipway_project_queue_paused", queue="default") == 0
    assert value(found, "slipway_workers", state="alive") == 1
    assert value(found, "slipway_worker_slots") == 2


def test_the_oldest_that_waits_is_one_that_could_be_taken(people: People) -> None:
    project = make_project(people.ada)
    early, late = make_run(people.ada, project), make_run(people.ada, project)
    hour = 3_600_000
    ProjectRun.objects.filter(pk=early.pk).update(queued_ms=now_ms() - 9 * hour, not_before_ms=now_ms() + hour)
    ProjectRun.objects.filter(pk=late.pk).update(queued_ms=now_ms() - hour)
    oldest = value(scrape(people), "slipway_project_queue_oldest_seconds", queue="default")
    assert oldest == pytest.approx(3600, abs=60)
    Queue.objects.update(is_paused=True)
    assert value(scrape(people), "slipway_project_queue_paused", queue="default") == 1


def test_a_worker_that_is_drained_takes_nothing(people: People) -> None:
    make_project(people.ada)
    worker = make_worker()
    worker.is_draining = True
    worker.save()
    found = scrape(people)
    assert value(found, "slipway_workers", state="alive") == 0
    assert value(found, "slipway_workers", state="draining") == 1
    assert value(found, "slipway_project_queue_workers", queue="default") == 0


def test_deployments_and_their_calls(people: People) -> None:
    fill(people)
    found = scrape(people)
    assert value(found, "slipway_deployments", state="ready") == 1
    assert value(found, "slipway_deployments", state="failed") == 0
    assert value(found, "slipway_deployment_state", deployment="iris", state="ready") == 1
    assert value(found, "slipway_serving_hosts") == 1
    before = {outcome: _calls(found, outcome) for outcome in ("ok", "client_error", "server_error", "unreached")}
    deployment = Deployment.objects.get()
    traffic(deployment.wanted_id or 0, minute=1)
    again = scrape(people)
    assert {outcome: _calls(again, outcome) - count for outcome, count in before.items()} == dict.fromkeys(before, 1)
    seconds = "slipway_serving_request_seconds"
    assert _more(again, found, seconds, f"{seconds}_bucket", deployment="iris", le="0.005") == 3
    assert _more(again, found, seconds, f"{seconds}_bucket", deployment="iris", le="0.003") == 0
    assert _more(again, found, seconds, f"{seconds}_count", deployment="iris") == 3
    assert _more(again, found, seconds, f"{seconds}_sum", deployment="iris") == pytest.approx(0.012)


def test_what_waits_to_be_sealed_and_to_be_sent(people: People) -> None:
    fill(people)
    found = scrape(people)
    # The token of who asks was made since.
    assert (value(found, "slipway_audit_pending_events"), value(found, "slipway_audit_findings")) == (1, 0)
    assert (value(found, "slipway_audit_sealed_sequence") or 0) > 0
    people.ada.call("POST", "experiments/create", {"name": "later"})
    hour_ago = timezone.now() - timedelta(hours=1)
    MailOut.objects.create(user=people.ada.user, subject="s", body="b", created_at=hour_ago, next_at=hour_ago)
    found = scrape(people)
    assert (value(found, "slipway_audit_pending_events") or 0) >= 2
    assert value(found, "slipway_mails_pending") == 1
    assert value(found, "slipway_mails_overdue_seconds") == pytest.approx(3600, abs=60)
    assert value(found, "slipway_deliveries_pending") == 0


def test_the_parts_are_told_and_one_that_is_away_hides_no_other(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise OSError("the bucket is gone")

    monkeypatch.setitem(checks.NEEDED, "artifacts", fail)
    found = scrape(people)
    assert value(found, "slipway_part_up", part="database") == 1
    assert value(found, "slipway_part_up", part="artifacts") == 0
    assert value(found, "slipway_part_up", part="broker") == 1
    assert value(found, "slipway_build_info", mlflow_protocol="3.3.2") == 1
    assert (value(found, "slipway_disk_free_bytes", folder="data") or 0) > 0


def test_a_heartbeat_is_there_once_a_worker_had_one(people: People) -> None:
    assert "slipway_worker_heartbeat_age_seconds" not in scrape(people)
    heartbeat()
    assert (value(scrape(people), "slipway_worker_heartbeat_age_seconds") or 0) < 60


def test_a_scrape_costs_the_same_whatever_there_is(people: People, django_assert_num_queries: Any) -> None:
    fill(people)
    caller = scraper(people)
    caller.request("GET", "/metrics")
    with CaptureQueriesContext(
        connection,
    ) as before:
        caller.request("GET", "/metrics")
    for number in range(3):
        make_deployment(people.ada, f"other-{number}")
        make_worker(f"w-{number + 2}")
        make_run(people.ada, make_project(people.ada, f"p-{number}"))
    with django_assert_num_queries(len(before)):
        caller.request("GET", "/metrics")
    assert len(before) <= 40


def test_nothing_is_made_up_where_the_cache_is_empty(people: People) -> None:
    cache.clear()
    found = scrape(people)
    assert "slipway_certificate_end_timestamp_seconds" not in found
    assert "slipway_audit_findings" not in found


def _calls(found: Any, outcome: str) -> float:
    name = "slipway_serving_requests"
    return value(found, name, f"{name}_total", deployment="iris", outcome=outcome) or 0.0


def _more(after: Any, before: Any, family: str, name: str, **labels: str) -> float:
    return (value(after, family, name, **labels) or 0.0) - (value(before, family, name, **labels) or 0.0)
