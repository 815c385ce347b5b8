"""Requests, decisions, moves and policies in any order, against a model of a hundred lines that fits in one's head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.core.errors import AlreadyExists, Conflict, DomainError, InvalidInput, PermissionDenied
from apps.registry import actions
from apps.registry.models import ModelVersion, Placement, Policy, PromotionRequest
from apps.registry.stages import Slot
from tests.personas import People, make_people
from tests.registry.promotion.making import make_model, make_version, set_policy
from tests.registry.web.asking import make_maintainer

VERSIONS = st.integers(0, 2)
SLOTS = st.sampled_from(["Production", "Staging"])
STAGES = st.sampled_from(["None", "Staging", "Production", "Archived"])
PEOPLE = st.sampled_from(["ada", "max", "mia"])
MAINTAINERS = ("max", "mia")

Demand = tuple[int, bool, int]


@dataclass
class Asked:
    """What the model knows of a request. `demand`: approvals (0: the right alone), archives, the level of the right."""

    version: int
    slot: str
    by: str
    demand: Demand
    state: str = "open"
    round: int = 1
    words: set[str] = field(default_factory=set)


class Reference:
    """How promotion goes: versions are Ada's, a policy is Production's, maintainers decide."""

    def __init__(self) -> None:
        self.stages = ["None", "None", "None"]
        self.policy: int | None = None
        self.requests: list[Asked] = []

    def demand(self, version: int, slot: str) -> Demand:
        ends = (slot, self.stages[version])
        if self.policy and "Production" in ends:
            return self.policy, slot == "Production", 0
        return 0, False, 40 if "Production" in ends else 30

    def refresh(self, one: Asked) -> None:
        now = self.demand(one.version, one.slot)
        if one.state == "open" and now != one.demand:
            one.demand, one.round, one.words = now, one.round + 1, set()

    def change_policy(self, approvals: int | None) -> None:
        self.policy = approvals
        for one in self.requests:
            self.refresh(one)

    def ask(self, by: str, version: int, slot: str) -> type[DomainError] | None:
        if self.stages[version] == slot:
            return InvalidInput
        if any((r.by, r.version, r.slot, r.state) == (by, version, slot, "open") for r in self.requests):
            return AlreadyExists
        self.requests.append(Asked(version, slot, by, self.demand(version, slot)))
        return None

    def decide(self, by: str, one: Asked, *, approves: bool) -> type[DomainError] | None:
        self.refresh(one)
        if by not in MAINTAINERS:
            return PermissionDenied
        own = approves and one.demand[0] > 0 and by == one.by
        if one.state != "open" or own or by in one.words:
            return Conflict
        if not approves:
            one.state = "rejected"
            return None
        one.words.add(by)
        if len(one.words) >= max(1, one.demand[0]):
            one.state = "applied"
            self.enter(one.version, one.slot, archives=one.demand[1])
        return None

    def cancel(self, by: str, one: Asked) -> type[DomainError] | None:
        if by != one.by:
            return PermissionDenied
        if one.state != "open":
            return Conflict
        one.state = "cancelled"
        return None

    def move(self, by: str, version: int, stage: str, *, archives: bool) -> type[DomainError] | None:
        if archives and stage not in ("Production", "Staging"):
            return InvalidInput
        if self.stages[version] == stage and not (archives and self.others(version, stage)):
            return None
        if by not in MAINTAINERS or self.demand(version, stage)[0]:
            return PermissionDenied
        self.enter(version, stage, archives=archives)
        return None

    def enter(self, version: int, stage: str, *, archives: bool) -> None:
        for other in self.others(version, stage) if archives else []:
            self.stages[other] = "Archived"
        for one in self.requests if self.stages[version] != stage else []:
            if (one.version, one.slot, one.state) == (version, stage, "open"):
                one.state = "superseded"
        self.stages[version] = stage
        for one in self.requests:
            self.refresh(one)

    def others(self, version: int, stage: str) -> list[int]:
        return [other for other in range(3) if other != version and self.stages[other] == stage]


class Promotion(RuleBasedStateMachine):
    """The server beside the model: both are told the same, and have to agree."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.people: People = make_people()
        mia = make_maintainer(self.people)
        self.actors = {"ada": self.people.ada.actor, "max": self.people.max.actor, "mia": mia.actor}
        self.model = make_model(self.people.ada)
        self.versions = [make_version(self.people.ada, self.model) for _ in range(3)]
        self.asked: list[PromotionRequest] = []
        self.reference = Reference()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(approvals=st.sampled_from([None, 1, 2]))
    def begin(self, approvals: int | None) -> None:
        if approvals:
            self.set_policy(approvals)

    @rule(by=PEOPLE, version=VERSIONS, slot=SLOTS)
    def ask(self, by: str, version: int, slot: str) -> None:
        expected = self.reference.ask(by, version, slot)
        version_ = self.versions[version]
        made = self.same(expected, lambda: actions.ask(self.actors[by], version=version_, slot=Slot.stage(slot)))
        if made is not None:
            self.asked.append(made)

    @precondition(lambda self: self.asked)
    @rule(by=PEOPLE, which=st.integers(0, 50))
    def approve(self, by: str, which: int) -> None:
        at = self.pick(which)
        expected = self.reference.decide(by, self.reference.requests[at], approves=True)
        self.same(expected, lambda: actions.approve_request(self.actors[by], request=self.fetched(at)))

    @precondition(lambda self: self.asked)
    @rule(by=PEOPLE, which=st.integers(0, 50))
    def reject(self, by: str, which: int) -> None:
        at = self.pick(which)
        expected = self.reference.decide(by, self.reference.requests[at], approves=False)
        self.same(expected, lambda: actions.reject_request(self.actors[by], request=self.fetched(at)))

    @precondition(lambda self: self.asked)
    @rule(by=PEOPLE, which=st.integers(0, 50))
    def cancel(self, by: str, which: int) -> None:
        at = self.pick(which)
        expected = self.reference.cancel(by, self.reference.requests[at])
        self.same(expected, lambda: actions.cancel_request(self.actors[by], request=self.fetched(at)))

    @rule(by=PEOPLE, version=VERSIONS, stage=STAGES, archives=st.booleans())
    def move(self, by: str, version: int, stage: str, archives: bool) -> None:
        expected = self.reference.move(by, version, stage, archives=archives)
        actor, moved = self.actors[by], self.versions[version]
        self.same(expected, lambda: actions.move_version(actor, version=moved, stage=stage, archive_existing=archives))

    @rule(approvals=st.integers(1, 2))
    def change_policy(self, approvals: int) -> None:
        self.set_policy(approvals)

    def set_policy(self, approvals: int) -> None:
        self.reference.change_policy(approvals)
        set_policy(self.people, approvals=approvals)

    @precondition(lambda self: self.reference.policy)
    @rule()
    def remove_policy(self) -> None:
        self.reference.change_policy(None)
        actions.delete_policy(self.people.root.actor, policy=Policy.objects.get())

    @invariant()
    def agree(self) -> None:
        stages = list(ModelVersion.objects.order_by("number").values_list("stage", flat=True))
        assert stages == self.reference.stages
        rows = PromotionRequest.objects.order_by("pk").values_list("state", "round")
        assert list(rows) == [(one.state, one.round) for one in self.reference.requests]

    @invariant()
    def history_says_the_same(self) -> None:
        now = Placement.objects.current().order_by("number").values_list("number", "slot_name")
        there = [(at + 1, stage) for at, stage in enumerate(self.reference.stages) if stage != "None"]
        assert list(now) == there

    def pick(self, which: int) -> int:
        """One of the open requests where there are some; now and then one that ended."""
        waiting = [at for at, one in enumerate(self.reference.requests) if one.state == "open"]
        return waiting[which % len(waiting)] if waiting and which > 5 else which % len(self.asked)

    def fetched(self, at: int) -> PromotionRequest:
        """As an edge would fetch it."""
        found = PromotionRequest.objects.select_related("version__model__team", "requester")
        return found.get(pk=self.asked[at].pk)

    def same(self, expected: type[DomainError] | None, call: Callable[[], Any]) -> Any:
        """The call ends as the model says; what it returned, if it did."""
        try:
            done = call()
        except DomainError as error:
            assert expected is not None and isinstance(error, expected), error
            return None
        assert expected is None
        return done


@pytest.mark.django_db
def test_any_order_of_steps() -> None:
    bounds = settings(
        max_examples=20,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(Promotion, settings=bounds)
