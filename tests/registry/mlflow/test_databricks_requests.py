from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts.actions import create_user
from apps.core.actor import Role, system_actor
from apps.registry import actions
from apps.registry.models import ModelVersion, PromotionRequest, RequestState
from apps.registry.stages import Slot
from tests.personas import PASSWORD, People, Persona, token_for
from tests.registry.promotion.making import make_model, make_version, set_policy, stage_of

PROMOTE = {"name": "iris", "version": "1", "stage": "Production"}
DECIDE = {**PROMOTE, "archive_existing_versions": True}


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada, "iris"))


@pytest.fixture
def mia(people: People) -> Persona:
    """A second maintainer."""
    return member(people, "mia")


def member(people: People, name: str, *, is_service: bool = False) -> Persona:
    password = None if is_service else PASSWORD
    made = create_user(
        system_actor(), username=name, password=password, team=people.forge, role=Role.MAINTAINER, is_service=is_service
    )
    return Persona(made, token_for(made))


def ask(who: Persona, expect: int = 200, **more: Any) -> Any:
    return who.call("POST", "transition-requests/create", {**PROMOTE, **more}, expect=expect)


def approve(who: Persona, expect: int = 200, **more: Any) -> Any:
    return who.call("POST", "transition-requests/approve", {**DECIDE, **more}, expect=expect)


def reject(who: Persona, expect: int = 200, **more: Any) -> Any:
    return who.call("POST", "transition-requests/reject", {**PROMOTE, **more}, expect=expect)


def cancel(who: Persona, creator: str, expect: int = 200, **more: Any) -> Any:
    asked = {**PROMOTE, "creator": creator, **more}
    return who.call("DELETE", "transition-requests/delete", asked, expect=expect)


def listed(who: Persona, **more: Any) -> Any:
    return who.call("GET", "transition-requests/list", {"name": "iris", "version": "1", **more})


def activities(who: Persona, **more: Any) -> Any:
    return who.call("GET", "activities/list", {"name": "iris", "version": "1", **more})["activities"]


def test_without_a_policy_the_right_approves(people: People, version: ModelVersion) -> None:
    made = ask(people.vera, comment="It is good.")["request"]
    assert (made["user_id"], made["comment"], made["to_stage"]) == ("vera", "It is good.", "Production")
    assert made["available_actions"] == ["CANCEL_TRANSITION_REQUEST"]
    line = listed(people.max)["requests"][0]
    assert line["activity_type"] == "REQUESTED_TRANSITION"
    assert (line["id"], line["user_id"], line["from_stage"]) == (made["id"], "vera", "None")
    assert line["available_actions"][:2] == ["APPROVE_TRANSITION_REQUEST", "REJECT_TRANSITION_REQUEST"]
    approve(people.ben, 403)
    done = approve(people.max, comment="So it is.")["activity"]
    assert (done["activity_type"], done["user_id"], done["comment"]) == ("APPROVED_REQUEST", "max", "So it is.")
    assert done["state"] == "applied" and stage_of(version) == "Production"
    assert listed(people.max)["requests"] == []


def test_two_approvals(people: People, version: ModelVersion, mia: Persona) -> None:
    set_policy(people, approvals=2)
    made = ask(people.ben)["request"]
    assert (made["required_approvals"], made["approvals"], made["checks"], made["round"]) == (2, [], [], 1)
    done = approve(people.max)["activity"]
    assert (done["state"], [each["user_id"] for each in done["approvals"]]) == ("open", ["max"])
    assert approve(people.max, 409)["details"] == {"reason": "second_word"}
    assert approve(mia)["activity"]["state"] == "applied"


def test_a_rejection_ends_it(people: People, version: ModelVersion, mia: Persona) -> None:
    set_policy(people, approvals=2)
    ask(people.ben)
    done = reject(people.max, comment="Not yet.")["activity"]
    assert (done["activity_type"], done["state"]) == ("REJECTED_REQUEST", "rejected")
    approve(mia, 404)
    assert stage_of(version) == "None"


def test_one_takes_back_ones_own(people: People, version: ModelVersion) -> None:
    ask(people.ben)
    ask(people.vera)
    cancel(people.ben, "vera", 403)
    cancel(people.vera, "ada", 404)
    cancel(people.cleo, "vera", 404)
    done = cancel(people.vera, "vera", comment="Never mind.")["activity"]
    assert (done["activity_type"], done["user_id"], done["comment"]) == ("CANCELLED_REQUEST", "vera", "Never mind.")
    assert [line["user_id"] for line in listed(people.ben)["requests"]] == ["ben"]
    cancel(people.vera, "vera", 404)


def test_one_approves_nothing_of_ones_own(people: People, version: ModelVersion) -> None:
    set_policy(people)
    ask(people.max)
    assert approve(people.max, 409)["details"] == {"reason": "self_approval"}
    assert stage_of(version) == "None"


def test_asking_twice_and_for_what_is_there(people: People, version: ModelVersion) -> None:
    ask(people.ben)
    assert ask(people.ben, 400)["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert ask(people.ben, 400, stage="None")["error_code"] == "INVALID_PARAMETER_VALUE"
    ask(people.ben, 400, stage="Prod")
    ask(people.cleo, 404)
    assert PromotionRequest.objects.count() == 1


def test_a_decision_is_about_the_request_that_waits(people: People, version: ModelVersion, mia: Persona) -> None:
    """Of two requests for one stage: not one's own, and not where one's word is said."""
    set_policy(people, approvals=2)
    own, other = ask(people.max)["request"], ask(people.ben)["request"]
    assert approve(people.max)["activity"]["request_id"] == other["id"]
    assert approve(mia)["activity"]["request_id"] == own["id"]
    approve(mia)
    assert stage_of(version) == "Production"
    assert PromotionRequest.objects.get(pk=own["id"]).state == RequestState.SUPERSEDED


def test_a_decision_may_name_request_and_round(people: People, version: ModelVersion, mia: Persona) -> None:
    set_policy(people, approvals=2)
    first, second = ask(people.ada)["request"], ask(people.ben)["request"]
    assert approve(people.max, request_id=second["id"], round=1)["activity"]["request_id"] == second["id"]
    assert approve(people.max, request_id=int(first["id"]))["activity"]["request_id"] == first["id"]
    answer = approve(mia, 409, request_id=first["id"], round=2)
    assert answer["details"] == {"reason": "new_round", "round": 1}
    reject(mia, request_id=first["id"], round=1)
    assert approve(mia, 409, request_id=first["id"])["details"] == {"state": "rejected"}
    approve(mia, 404, request_id=second["id"], stage="Staging")
    approve(mia, 404, request_id=10**9)
    assert stage_of(version) == "None"


def test_a_gate_that_is_not_passed(people: People, version: ModelVersion) -> None:
    set_policy(people, gates=({"kind": "description", "params": {"characters": 10}},))
    made = ask(people.ben)["request"]
    assert made["checks"] == [{"kind": "description", "params": {"characters": 10}, "state": "pending"}]
    answer = approve(people.max, 409)
    assert answer["error_code"] == "RESOURCE_CONFLICT"
    assert [gate["gate"] for gate in answer["details"]["gates"]] == ["description"]
    assert stage_of(version) == "None"


def test_aliases_have_no_word_here(people: People, version: ModelVersion) -> None:
    actions.ask(people.ben.actor, version=version, slot=Slot.alias("champion"))
    assert listed(people.ben)["requests"] == []


def test_pages(people: People, version: ModelVersion) -> None:
    for who in (people.ada, people.ben, people.max):
        ask(who)
    first = listed(people.vera, max_results=2)
    rest = listed(people.vera, max_results=2, page_token=first["next_page_token"])
    assert [line["user_id"] for line in first["requests"] + rest["requests"]] == ["ada", "ben", "max"]
    assert "next_page_token" not in rest
    for wrong in ({"page_token": "x"}, {"max_results": 0}, {"max_results": 1001}, {"max_results": "x"}):
        send = {"name": "iris", "version": "1", **wrong}
        people.vera.call("GET", "transition-requests/list", send, expect=400)
    wrong_list = {"name": "iris", "version": "1", "page_token": first["next_page_token"]}
    people.vera.call("GET", "activities/list", wrong_list, expect=400)


def test_a_list_costs_the_same_however_long(
    people: People, version: ModelVersion, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ask(people.ada)
    listed(people.max)
    with django_assert_num_queries(8):
        listed(people.max)
    for who in (people.ben, people.max, people.vera):
        ask(who)
    with django_assert_num_queries(8):
        listed(people.max)


def test_what_happened_is_listed(people: People, version: ModelVersion) -> None:
    ask(people.ben, comment="please")
    reject(people.max, comment="no")
    ask(people.ben)
    cancel(people.ben, "ben", comment="later")
    ask(people.ben)
    approve(people.max, comment="yes")
    second = make_version(people.ada, version.model)
    direct = {"name": "iris", "version": str(second.number), "stage": "Production", "archive_existing_versions": True}
    people.max.call("POST", "databricks/model-versions/transition-stage", direct)
    found = activities(people.vera)
    assert [(each["activity_type"], each["user_id"], each.get("comment")) for each in found] == [
        ("REQUESTED_TRANSITION", "ben", "please"),
        ("REJECTED_REQUEST", "max", "no"),
        ("REQUESTED_TRANSITION", "ben", None),
        ("CANCELLED_REQUEST", "ben", "later"),
        ("REQUESTED_TRANSITION", "ben", None),
        ("APPROVED_REQUEST", "max", "yes"),
        ("APPLIED_TRANSITION", "max", None),
        ("SYSTEM_TRANSITION", "max", None),
    ]
    assert [each["to_stage"] for each in found] == ["Production"] * 7 + ["Archived"]
    assert found[-1]["system_comment"] == "Version 2 took its place."
    assert found[-2]["from_stage"] == "None" and found[-2]["request_id"] == found[-3]["request_id"]


@pytest.mark.parametrize(
    ("route", "lacks"),
    [
        ("POST transition-requests/create", "stage"),
        ("POST transition-requests/approve", "archive_existing_versions"),
        ("POST transition-requests/reject", "version"),
        ("DELETE transition-requests/delete", "creator"),
        ("GET transition-requests/list", "name"),
        ("POST databricks/model-versions/transition-stage", "archive_existing_versions"),
    ],
)
def test_what_has_to_be_named(people: People, version: ModelVersion, route: str, lacks: str) -> None:
    method, path = route.split()
    send = {**DECIDE, "creator": "ada"}
    del send[lacks]
    answer = people.max.call(method, path, send, expect=400)
    assert answer["message"].startswith(f"Missing value for required parameter '{lacks}'")


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "x"},
        {"stage": "production\x00"},
        {"stage": ["Production"]},
        {"name": {}},
        {"name": "\ud800"},
        {"comment": "x" * 65_536},
        {"comment": 5},
        {"archive_existing_versions": "maybe"},
        {"round": "x"},
        {"round": 2**63},
        {"request_id": "x"},
        {"request_id": [1]},
    ],
)
def test_what_cannot_be_read_decides_nothing(people: People, version: ModelVersion, wrong: dict[str, Any]) -> None:
    ask(people.ben)
    approve(people.max, 400, **wrong)
    assert PromotionRequest.objects.get().is_open and stage_of(version) == "None"


def test_of_what_nobody_knows(people: People, version: ModelVersion) -> None:
    for unknown in (
        {"version": "2"},
        {"version": "-1"},
        {"version": "9" * 30},
        {"name": "x" * 300},
        {"stage": "Staging"},
    ):
        approve(people.max, 404, **unknown)


def test_a_service_account_never_decides(people: People, version: ModelVersion) -> None:
    set_policy(people)
    ask(people.ben)
    approve(member(people, "bot", is_service=True), 403)
    assert stage_of(version) == "None"
