"""How many statements the hot calls cost, with credentials that this process knows already."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from apps.experiments.models import Run
from apps.experiments.rendering import render_runs
from tests.experiments.logging import history_of, make_run, metric
from tests.personas import People

ON_POSTGRESQL = connection.vendor == "postgresql"
# Inside of a test's transaction each of ours is a savepoint: two statements more.
SAVEPOINT = 0 if ON_POSTGRESQL else 2


def full_batch(count: int) -> dict[str, Any]:
    pairs = [{"key": f"k{n}", "value": "v"} for n in range(count)]
    return {"metrics": [metric(f"k{n}", step=n) for n in range(count)], "params": pairs, "tags": pairs}


def test_get_run(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    run_id = make_run(people.ada)
    people.ada.call("POST", "runs/log-batch", {"run_id": run_id, **full_batch(20)})
    for who in (people.ada, people.vera, people.root):
        who.call("GET", "runs/get", {"run_id": run_id})
        with django_assert_num_queries(1 if ON_POSTGRESQL else 2):
            who.call("GET", "runs/get", {"run_id": run_id})


def test_log_metric(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    body = {"run_id": make_run(people.ada), **metric()}
    for step in range(2):
        with django_assert_num_queries(1 if ON_POSTGRESQL else 3 + SAVEPOINT):
            people.ada.call("POST", "runs/log-metric", {**body, "step": step})


@pytest.mark.parametrize("count", [1, 100])
def test_log_batch(people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int) -> None:
    run_id = make_run(people.ada)
    with django_assert_num_queries(1 if ON_POSTGRESQL else 6 + SAVEPOINT):
        people.ada.call("POST", "runs/log-batch", {"run_id": run_id, **full_batch(count)})


@pytest.mark.parametrize("route", ["log-parameter", "set-tag"])
def test_params_and_tags(people: People, django_assert_num_queries: DjangoAssertNumQueries, route: str) -> None:
    body = {"run_id": make_run(people.ada), "key": "k", "value": "v"}
    on_sqlite = {"log-parameter": 3, "set-tag": 2}[route] + SAVEPOINT
    with django_assert_num_queries(1 if ON_POSTGRESQL else on_sqlite):
        people.ada.call("POST", f"runs/{route}", body)


def test_history(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    run_id = make_run(people.max)
    values = [metric(step=step) for step in range(500)]
    people.max.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": values})
    with django_assert_num_queries(2):
        assert len(history_of(people.max, run_id)["metrics"]) == 500


@pytest.mark.parametrize("count", [1, 30])
def test_rendering_of_many_runs(people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int) -> None:
    for _ in range(count):
        people.ada.call("POST", "runs/log-batch", {"run_id": make_run(people.ada), **full_batch(2)})
    pks = list(Run.objects.values_list("pk", flat=True))
    with django_assert_num_queries(1 if ON_POSTGRESQL else 2):
        assert len(render_runs(pks)) == count
