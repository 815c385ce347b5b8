"""A server on which each thing has happened once, and what it tells Prometheus then."""

from __future__ import annotations

import time

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from apps.audit import tasks as audit_tasks
from apps.core import certificates
from apps.core.actor import Scope
from apps.core.tasks import heartbeat
from apps.deployments.gateway import counting
from apps.deployments.histogram import BOUNDS_MS
from tests.deployments.making import make_host, ready_deployment
from tests.personas import People, Persona, token_for
from tests.projects.making import make_project, make_run, make_worker


def fill(people: People) -> None:
    """Runs and what they log, a project run that waits, a worker, a deployment with traffic, an audit log."""
    created = people.ada.call("POST", "experiments/create", {"name": "wine"})
    run = people.ada.call("POST", "runs/create", {"experiment_id": created["experiment_id"]})
    run_id = run["run"]["info"]["run_id"]
    metrics = [{"key": "loss", "value": 0.5, "step": step, "timestamp": step} for step in range(3)]
    batch = {"metrics": metrics, "params": [{"key": "a", "value": "1"}], "tags": [{"key": "t", "value": "1"}]}
    people.ada.call("POST", "runs/log-batch", {"run_id": run_id, **batch})
    make_worker()
    make_run(people.ada, make_project(people.ada))
    make_host()
    deployment = ready_deployment(people.ada)
    assert deployment.wanted is not None
    # The gauges of traffic tell of the last whole minute.
    traffic(deployment.wanted.pk, minute=int((time.time() - 5) // 60) - 1)
    heartbeat()
    audit_tasks.verify()
    certificates.keep((time.time(), time.time() + 90 * 86_400))


def traffic(revision: int, minute: int) -> None:
    """Four calls, as a gateway counts them: one of each outcome, three of which took about 4 ms."""
    buckets = [0] * (len(BOUNDS_MS) + 1)
    buckets[3] = 3
    assert counting.write({(revision, minute): [4, 1, 1, 1, 12.0, *buckets]}) == {}


def scraper(people: People) -> Persona:
    """Who has a token for this alone."""
    return Persona(people.root.user, token_for(people.root.user, Scope.METRICS))


def scrape(people: People) -> dict[str, Metric]:
    """The families of `/metrics`, by name; those of counters end with `_total` there and not here."""
    response = scraper(people).request("GET", "/metrics")
    assert response.status_code == 200, response.content
    return {family.name: family for family in text_string_to_metric_families(response.content.decode())}


def value(families: dict[str, Metric], family: str, name: str = "", **labels: str) -> float | None:
    """One number; `name` where it is not the family's."""
    for sample in families[family].samples:
        if sample.name == (name or family) and labels.items() <= sample.labels.items():
            return float(sample.value)
    return None
