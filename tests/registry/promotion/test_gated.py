"""Approving while gates hold."""

from __future__ import annotations

import pytest

from apps.core.errors import Conflict
from apps.registry import actions, facts
from apps.registry.models import Decision, GateResult, ModelVersion, PromotionRequest
from tests.personas import People
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, set_policy, stage_of

DESCRIBED = {"kind": "description", "params": {"characters": 5}}


@pytest.fixture
def request_of_ada(people: People) -> PromotionRequest:
    set_policy(people, gates=(DESCRIBED,))
    version = make_version(people.ada, make_model(people.ada))
    return actions.ask(people.ada.actor, version=version, slot=PRODUCTION)


def test_a_gate_that_is_not_passed_stops_approvals(people: People, request_of_ada: PromotionRequest) -> None:
    with pytest.raises(Conflict, match=r"description \(failed\)") as raised:
        actions.approve_request(people.max.actor, request=request_of_ada)
    assert raised.value.details == {"gates": [{"gate": "description", "place": 0, "state": "failed"}]}
    assert not Decision.objects.exists() and stage_of(request_of_ada.version) == "None"


def test_what_pages_show_follows(people: People, request_of_ada: PromotionRequest) -> None:
    assert GateResult.objects.get().state == "pending"
    facts.judge_stale()
    assert GateResult.objects.get().state == "failed"


def test_a_gate_is_looked_at_anew_when_it_is_approved(people: People, request_of_ada: PromotionRequest) -> None:
    facts.judge_stale()
    ModelVersion.objects.update(description="Trained on all of it.")
    assert actions.approve_request(people.max.actor, request=request_of_ada).state == "applied"
    assert GateResult.objects.get().state == "passed"
