"""Who hears what: inboxes, and the calls of webhooks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.notifications.models import Delivery, Notification
from apps.registry import actions
from apps.registry.models import ModelVersion
from apps.registry.stages import Slot
from tests.api import call
from tests.personas import People
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, set_policy


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada, "iris"))


def inbox(people: People, name: str) -> list[str]:
    return list(Notification.objects.filter(user__username=name).order_by("pk").values_list("text", flat=True))


def test_who_asked_for_the_same_slot_is_told_of_the_one_that_won(people: People, version: ModelVersion) -> None:
    set_policy(people)
    second = make_version(people.ada, version.model)
    mine = actions.ask(people.ben.actor, version=version, slot=PRODUCTION)
    theirs = actions.ask(people.ada.actor, version=second, slot=PRODUCTION)
    actions.approve_request(people.max.actor, request=theirs)
    told = "iris version 2 entered Production. Your request that iris version 1 enter Production is still open."
    assert inbox(people, "ben") == [told]
    assert "max moved iris version 2 from None to Production, as ada asked." in inbox(people, "ada")
    mine.refresh_from_db()
    assert mine.is_open and mine.stale_ms is not None


def test_a_direct_move_overtakes_what_was_asked(people: People, version: ModelVersion) -> None:
    request = actions.ask(people.ben.actor, version=version, slot=PRODUCTION)
    assert inbox(people, "max") == ["ben asks that iris version 1 enter Production."]
    actions.move_version(people.max.actor, version=version, stage="Production", comment="tested")
    request.refresh_from_db()
    assert request.state == "superseded"
    assert inbox(people, "ben") == ["iris version 1 is in Production by another way than your request."]
    assert inbox(people, "ada")[-1] == "max moved iris version 1 from None to Production: tested"
    assert not Notification.objects.open_in_group(f"promotion-request:{request.pk}").exists()


def test_a_changed_policy_tells_both_sides(people: People, version: ModelVersion) -> None:
    set_policy(people, approvals=2)
    actions.ask(people.ada.actor, version=version, slot=PRODUCTION)
    set_policy(people, approvals=1)
    text = "What Production demands changed: the request that iris version 1 enter Production begins anew, round 2."
    assert inbox(people, "ada")[-1] == inbox(people, "max")[-1] == text


def test_webhooks_hear_of_each_step(people: People, version: ModelVersion) -> None:
    events = ["promotion_request.created", "promotion_request.approved", "model_version.stage_changed"]
    events += ["model_version_alias.created", "model_version_alias.deleted", "comment.created"]
    hook = {"name": "all", "url": "https://hooks.example.org/x", "dialect": "generic", "events": events}
    call(people.max, "POST", "webhooks/", {**hook, "kind": "registered_model", "object": "iris"}, expect=201)
    request = actions.ask(people.ada.actor, version=version, slot=PRODUCTION, comment="better")
    actions.approve_request(people.max.actor, request=request)
    actions.set_alias(people.ada.actor, model=version.model, alias="best", version=version)
    actions.delete_alias(people.ada.actor, model=version.model, alias="best")
    actions.comment_on(people.ada.actor, version=version, text="Look.")
    sent = [(row.event, facts_of(row)) for row in Delivery.objects.order_by("pk")]
    assert [event for event, _ in sent] == events
    assert sent[0][1]["to_stage"] == "Production" and sent[0][1]["request_id"] == request.pk
    assert (sent[2][1]["from_stage"], sent[2][1]["to_stage"], sent[2][1]["version"]) == ("None", "Production", "1")
    assert sent[3][1]["alias"] == sent[4][1]["alias"] == "best"
    assert sent[5][1]["comment"] == "Look."


def facts_of(delivery: Delivery) -> Any:
    """What a delivery says happened."""
    payload = delivery.payload if isinstance(delivery.payload, dict) else json.loads(delivery.payload)
    return payload.get("facts") or payload.get("data") or payload


def test_asking_for_an_alias_names_it(people: People, version: ModelVersion) -> None:
    set_policy(people, Slot.alias("champion"))
    actions.ask(people.ada.actor, version=version, slot=Slot.alias("champion"))
    assert inbox(people, "max") == ["ada asks that iris version 1 enter @champion."]
