from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts import actions
from apps.accounts.models import Grant
from apps.audit.models import Event
from apps.core.actor import system_actor
from apps.registry.models import RegisteredModel
from tests.personas import People, Persona

BASE = "/api/2.0/permissions/registered-models"


@pytest.fixture
def model(people: People) -> RegisteredModel:
    return RegisteredModel.objects.create(
        team=people.forge, name="iris", owner=people.ada.user, created_ms=1, updated_ms=1
    )


def call(who: Persona, method: str, path: Any, body: Any = None, expect: int = 200) -> Any:
    answer = who.request(method, f"{BASE}/{path}", body)
    assert answer.status_code == expect, answer.content
    return answer.json()


def entry(name: str, level: str, kind: str = "user_name") -> dict[str, str]:
    return {kind: name, "permission_level": level}


def acl(answer: Any) -> dict[str, list[tuple[str, bool, list[str]]]]:
    names = ("user_name", "group_name", "service_principal_name")
    return {
        next(row[name] for name in names if name in row): [
            (each["permission_level"], each["inherited"], each["inherited_from_object"])
            for each in row["all_permissions"]
        ]
        for row in answer["access_control_list"]
    }


def test_everybody_who_may_see_it_is_listed_with_the_reason(people: People, model: RegisteredModel) -> None:
    answer = call(people.max, "GET", model.pk)
    assert (answer["object_id"], answer["object_type"]) == (f"/registered-models/{model.pk}", "registered-model")
    assert acl(answer) == {
        "ada": [("CAN_MANAGE", True, ["owner"])],
        "ben": [("CAN_EDIT", True, ["/workspaces/forge"])],
        "max": [("CAN_MANAGE", True, ["/workspaces/forge"])],
        "root": [("CAN_MANAGE", True, ["/"])],
        "vera": [("CAN_READ", True, ["/workspaces/forge"])],
    }


def test_a_patch_adds_and_a_put_replaces(people: People, model: RegisteredModel) -> None:
    actions.create_user(system_actor(), username="bot", password=None, is_service=True, team=people.forge)
    first = [entry("cleo", "CAN_EDIT"), entry("ben", "CAN_MANAGE_PRODUCTION_VERSIONS")]
    call(people.max, "PATCH", model.pk, {"access_control_list": first})
    second = [entry("harbour", "CAN_READ", "group_name"), entry("bot", "CAN_MANAGE", "service_principal_name")]
    found = acl(call(people.max, "PATCH", model.pk, {"access_control_list": second}))
    assert found["cleo"] == [("CAN_EDIT", False, [])]
    assert found["harbour"] == [("CAN_READ", False, [])]
    assert found["ben"][1] == ("CAN_MANAGE_PRODUCTION_VERSIONS", False, [])
    assert ("CAN_MANAGE", False, []) in found["bot"]
    last = [entry("cleo", "CAN_READ")]
    found = acl(call(people.max, "PUT", model.pk, {"access_control_list": last}))
    assert found["cleo"] == [("CAN_READ", False, [])]
    assert "harbour" not in found and len(found["ben"]) == 1
    assert Event.objects.filter(code__startswith="grant.").count() == 4 + 3 + 1


def test_levels_are_described_to_readers(people: People, model: RegisteredModel) -> None:
    levels = call(people.vera, "GET", f"{model.pk}/permissionLevels")["permission_levels"]
    assert [level["permission_level"] for level in levels] == [
        "CAN_READ",
        "CAN_EDIT",
        "CAN_MANAGE_STAGING_VERSIONS",
        "CAN_MANAGE_PRODUCTION_VERSIONS",
        "CAN_MANAGE",
    ]
    assert all(level["description"] for level in levels)
    call(people.cleo, "GET", f"{model.pk}/permissionLevels", expect=404)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_it_is_for_those_who_manage_the_model(people: People, model: RegisteredModel, method: str) -> None:
    call(people.cleo, method, model.pk, expect=404)
    call(people.vera, method, model.pk, expect=403)
    call(people.ben, method, model.pk, expect=403)
    call(people.ada, method, model.pk)


def test_who_made_it_shares_it_and_gives_nobody_its_stages(people: People, model: RegisteredModel) -> None:
    both = [entry("cleo", "CAN_EDIT"), entry("ada", "CAN_MANAGE_PRODUCTION_VERSIONS")]
    answer = call(people.ada, "PATCH", model.pk, {"access_control_list": both}, 403)
    assert "at most 'edit'" in answer["message"]
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([entry("cleo", "CAN_VIEW")], 400),
        ([entry("cleo", "")], 400),
        ([{"permission_level": "CAN_READ"}], 400),
        ([{**entry("cleo", "CAN_READ"), "group_name": "harbour"}], 400),
        ([entry("cleo", "CAN_READ"), entry("cleo", "CAN_EDIT")], 400),
        ([entry("nobody", "CAN_READ")], 404),
        ([entry("nowhere", "CAN_READ", "group_name")], 404),
        ([entry("cleo", "CAN_READ", "service_principal_name")], 404),
        ([entry("cleo", "CAN_READ")] * 101, 400),
        ([1], 400),
        ([None], 400),
        ("cleo", 400),
        ([entry("cl\x00eo", "CAN_READ")], 400),
        ([entry("\ud800", "CAN_READ")], 400),
    ],
)
def test_what_cannot_be_set_changes_nothing(people: People, model: RegisteredModel, entries: Any, status: int) -> None:
    kept = [entry("harbour", "CAN_READ", "group_name")]
    call(people.max, "PUT", model.pk, {"access_control_list": kept})
    call(people.max, "PUT", model.pk, {"access_control_list": entries}, status)
    assert Grant.objects.get().team == people.harbour


@pytest.mark.parametrize("written", ["root", "0", "-1", "9" * 18, "9" * 40, "x", "1e3", "٣"])
def test_ids_of_no_model(people: People, model: RegisteredModel, written: str) -> None:
    call(people.root, "GET", written, expect=400 if written == "root" else 404)


def test_statements_do_not_grow_with_the_list(
    people: People, model: RegisteredModel, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    many = [entry(name, "CAN_READ") for name in ("cleo", "ben", "vera", "root")]
    call(people.max, "PUT", model.pk, {"access_control_list": many})
    with django_assert_num_queries(5):
        call(people.max, "GET", model.pk)
