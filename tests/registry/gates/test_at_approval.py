"""Gates and approvals together: what is judged anew when somebody approves, and what is kept of it."""

from __future__ import annotations

from typing import Any

from apps.audit.models import Event
from apps.experiments.models import Experiment
from apps.registry import actions, facts
from apps.registry.models import GateResult, PromotionRequest
from apps.registry.policies import Rules
from tests.experiments.logging import metric
from tests.personas import People
from tests.registry.gates.cases import PRODUCTION, make_version

ACCURATE = {"kind": "metric", "params": {"key": "accuracy", "operator": ">=", "value": 0.95}}
BETTER = {"kind": "better", "params": {"key": "accuracy"}}


def asked(people: People, accuracy: float, *gates: Any) -> PromotionRequest:
    """A request of Ada's under a policy with the gates; Max decides."""
    rules = Rules(approver_role="maintainer", gates=tuple(gates))
    actions.set_policy(people.root.actor, slot=PRODUCTION, rules=rules)
    version = make_version(people.ada, people.forge, metrics={"accuracy": accuracy})
    return actions.ask(people.ada.actor, version=version, slot=PRODUCTION)


def log(people: People, request: PromotionRequest, value: float) -> None:
    later = metric("accuracy", value, timestamp=9, step=9)
    people.ada.call("POST", "runs/log-batch", {"run_id": request.version.run_id, "metrics": [later]})


def approve(people: People, request: PromotionRequest) -> Any:
    return people.max.request("POST", f"/api/v1/promotion-requests/{request.pk}/approve/", {"comment": "fine"})


def test_an_approval_while_a_gate_fails_is_refused_and_names_it(people: People) -> None:
    request = asked(people, 0.9, ACCURATE)
    answer = approve(people, request)
    assert answer.status_code == 409
    assert answer.json()["details"] == {"gates": [{"gate": "metric", "place": 0, "state": "failed"}]}
    assert not request.decisions.exists()


def test_what_was_logged_since_counts(people: People) -> None:
    request = asked(people, 0.9, ACCURATE)
    facts.judge_stale()
    assert GateResult.objects.get().state == "failed"
    log(people, request, 0.97)
    assert approve(people, request).status_code == 200
    assert GateResult.objects.get().state == "passed"


def test_what_was_logged_since_counts_against_it_too(people: People) -> None:
    request = asked(people, 0.97, ACCURATE)
    facts.judge_stale()
    log(people, request, 0.1)
    assert approve(people, request).status_code == 409


def test_the_value_it_was_decided_on_is_kept(people: People) -> None:
    request = asked(people, 0.97, ACCURATE, BETTER)
    assert approve(people, request).status_code == 200
    log(people, request, 0.1)
    facts.judge_stale()
    assert [result.evidence["value"] for result in GateResult.objects.all()] == [0.97, 0.97]
    worse = make_version(people.ada, people.forge, metrics={"accuracy": 0.96})
    second = actions.ask(people.ada.actor, version=worse, slot=PRODUCTION)
    answer = approve(people, second)
    assert answer.json()["details"]["gates"] == [{"gate": "better", "place": 1, "state": "failed"}]


def test_the_audit_log_keeps_what_the_gates_said(people: People) -> None:
    request = asked(people, 0.97, ACCURATE, BETTER)
    approve(people, request)
    after = Event.objects.get(code="promotion_request.approved").after
    assert after is not None
    assert after["gates"] == [
        "accuracy ≥ 0.95: accuracy is 0.97",
        "accuracy higher than that of the version in place: Nothing is in Production to be better than",
    ]


def test_the_audit_log_of_one_team_has_no_values_of_another(people: People) -> None:
    request = asked(people, 0.97, ACCURATE)
    Experiment.objects.update(team=people.harbour)
    approve(people, request)
    after = Event.objects.get(code="promotion_request.approved").after
    assert after is not None
    assert after["gates"] == ["accuracy ≥ 0.95"]


def test_what_enters_makes_rivals_compare_anew(people: People, django_capture_on_commit_callbacks: Any) -> None:
    first, second = asked(people, 0.97, BETTER), asked(people, 0.96, BETTER)
    facts.judge_stale()
    assert second.gates.get().state == "passed"
    with django_capture_on_commit_callbacks(execute=True):
        assert approve(people, first).status_code == 200
    assert second.gates.get().state == "failed"


def test_a_changed_tag_is_judged_after_commit(people: People, django_capture_on_commit_callbacks: Any) -> None:
    request = asked(people, 0.9, {"kind": "tag", "params": {"key": "validation", "value": "ok"}})
    version = request.version
    with django_capture_on_commit_callbacks(execute=True):
        actions.set_version_tag(people.ada.actor, version=version, key="validation", value="ok")
    assert request.gates.get().state == "passed"
    with django_capture_on_commit_callbacks(execute=True):
        actions.delete_version_tag(people.ada.actor, version=version, key="validation")
    assert request.gates.get().state == "failed"


def test_asking_has_the_gates_judged(people: People, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        request = asked(people, 0.97, ACCURATE)
    assert request.gates.get().state == "passed"
