"""The task that judges, and approvals, at the same time, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import TypeVar

import pytest
from django.db import connection, transaction

from apps.registry import actions, facts
from apps.registry.actions.common import lock_request
from apps.registry.models import GateResult, PromotionRequest, RequestState
from apps.registry.policies import Rules
from tests.personas import People
from tests.registry.gates.cases import PRODUCTION, make_version

T = TypeVar("T")

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
    pytest.mark.django_db(transaction=True),
]
ACCURATE = {"kind": "metric", "params": {"key": "accuracy", "operator": ">=", "value": 0.95}}


def asked(people: People) -> PromotionRequest:
    rules = Rules(approver_role="maintainer", gates=(ACCURATE,))
    actions.set_policy(people.root.actor, slot=PRODUCTION, rules=rules)
    version = make_version(people.ada, people.forge, metrics={"accuracy": 0.97})
    return actions.ask(people.ada.actor, version=version, slot=PRODUCTION)


def alone(work: Callable[[], T]) -> T:
    """In a thread, whose connection is closed afterwards."""
    try:
        return work()
    finally:
        connection.close()


def test_the_task_leaves_alone_what_an_approval_holds(people: People) -> None:
    request = asked(people)
    PromotionRequest.objects.update(stale_ms=1)
    held, done = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            lock_request(request)
            held.set()
            done.wait(20)

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(alone, hold)
        held.wait(20)
        assert facts.judge_stale() == 0
        done.set()
        holding.result()
    assert facts.judge_stale() == 1


def test_many_tasks_and_an_approval_end_in_one_result(people: People) -> None:
    request = asked(people)
    together = Barrier(4)

    def judge() -> None:
        together.wait(20)
        for _ in range(10):
            PromotionRequest.objects.filter(pk=request.pk, state="open").update(stale_ms=1)
            facts.judge_stale()

    def approve() -> None:
        together.wait(20)
        actions.approve_request(people.max.actor, request=request)

    with ThreadPoolExecutor(4) as threads:
        for future in [threads.submit(alone, work) for work in (judge, judge, judge, approve)]:
            future.result()
    request.refresh_from_db()
    assert (request.state, request.stale_ms) == (RequestState.APPLIED, None)
    assert GateResult.objects.get().state == "passed"
