from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from apps.experiments.actions import now_ms
from apps.registry import facts
from apps.registry.models import GateResult, PromotionRequest
from apps.registry.tasks import evaluate_gates, sweep
from tests.experiments.logging import metric
from tests.personas import People
from tests.registry.gates.cases import ask, gate, make_version

Capture = Callable[..., AbstractContextManager[Any]]


def test_touched_requests_are_judged_after_commit(people: People, django_capture_on_commit_callbacks: Capture) -> None:
    request = ask(people.ada, make_version(people.ada, people.forge), gate("description"))
    with django_capture_on_commit_callbacks(execute=True):
        facts.touch([request.version_id])
        assert not GateResult.objects.exists()
    assert GateResult.objects.get().state == "failed"


def test_where_no_request_is_open_a_touch_is_one_statement(people: People, django_assert_num_queries: Any) -> None:
    version = make_version(people.ada, people.forge)
    with django_assert_num_queries(1):
        facts.touch([version.pk])


def test_a_sweep_looks_again_at_runs_when_it_is_time(people: People) -> None:
    version = make_version(people.ada, people.forge)
    request = ask(people.ada, version, gate("metric", key="accuracy", value=0.5))
    PromotionRequest.objects.update(stale_ms=now_ms())
    assert sweep() == 1
    people.ada.call("POST", "runs/log-batch", {"run_id": version.run_id, "metrics": [metric("accuracy", 0.9)]})
    assert sweep() == 0
    PromotionRequest.objects.filter(pk=request.pk).update(stale_ms=now_ms() - 1)
    assert sweep() == 1
    assert GateResult.objects.get().state == "passed"


def test_requests_that_ended_are_left_as_they_are(people: People) -> None:
    ask(people.ada, make_version(people.ada, people.forge), gate("description"))
    PromotionRequest.objects.update(stale_ms=1, state="rejected")
    assert evaluate_gates() == 0
    assert not GateResult.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_a_sweep_costs_the_same_for_many(people: People, count: int, django_assert_max_num_queries: Any) -> None:
    for _ in range(count):
        ask(people.ada, make_version(people.ada, people.forge), gate("description"))
    PromotionRequest.objects.update(stale_ms=1)
    with django_assert_max_num_queries(10):
        assert evaluate_gates() == count
