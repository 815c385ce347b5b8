"""Policies and groups of approvers by `/api/v1/`."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.core.actor import Role, system_actor
from apps.registry import actions
from apps.registry.models import ApproverGroup, Policy
from tests.api import call, names
from tests.personas import People
from tests.registry.promotion.making import PRODUCTION, make_model, make_version

METRIC = {"kind": "metric", "params": {"key": "accuracy", "operator": ">=", "value": 0.95}}


def test_a_policy_is_set_changed_and_removed(people: People) -> None:
    made = call(
        people.root, "POST", "policies/", {"stage": "production", "approvals": 2, "gates": [METRIC]}, expect=201
    )
    assert (made["stage"], made["team"], made["name"], made["revision"]) == ("Production", None, None, 1)
    assert made["gates"][0]["params"]["value"] == 0.95
    again = call(people.root, "POST", "policies/", {"stage": "Production", "ask_level": "read"}, expect=201)
    assert (again["id"], again["approvals"], again["ask_level"], again["gates"]) == (made["id"], 1, "read", [])
    assert (again["revision"], Policy.objects.count()) == (2, 1)
    assert names(call(people.vera, "GET", "policies/"), "id") == [made["id"]]
    call(people.root, "DELETE", f"policies/{made['id']}/", expect=204)
    assert not Policy.objects.exists()


def test_of_a_model_and_of_a_team(people: People) -> None:
    make_model(people.ada, "iris")
    accounts.set_role(system_actor(), team=people.forge, user=people.max.user, role=Role.ADMIN)
    of_model = {"team": "forge", "name": "iris", "alias": "champion"}
    made = call(people.max, "POST", "policies/", of_model, expect=201)
    assert (made["team"], made["name"], made["alias"]) == ("forge", "iris", "champion")
    assert call(people.max, "POST", "policies/", {"team": "forge", "stage": "Staging"}, expect=201)["name"] is None
    call(people.max, "POST", "policies/", {"stage": "Staging"}, expect=403)
    assert call(people.cleo, "GET", "policies/")["results"] == []
    call(people.cleo, "GET", f"policies/{made['id']}/", expect=404)
    call(people.ben, "DELETE", f"policies/{made['id']}/", expect=403)


def test_groups_approve(people: People) -> None:
    body = {"name": "board", "team": "forge", "members": ["ben", "max"]}
    group = call(people.root, "POST", "approver-groups/", body, expect=201)
    policy = {"team": "forge", "stage": "Production", "approver_role": "", "approver_group": int(group["id"])}
    call(people.root, "POST", "policies/", policy, expect=201)
    version = make_version(people.ada, make_model(people.ada, "iris"))
    request = actions.ask(people.ada.actor, version=version, slot=PRODUCTION)
    call(people.max, "POST", f"promotion-requests/{request.pk}/approve/", {"round": 2}, expect=409)
    call(people.root, "PATCH", f"approver-groups/{group['id']}/", {"members": ["ben"]})
    request.refresh_from_db()
    assert request.round == 2
    call(people.max, "POST", f"promotion-requests/{request.pk}/approve/", expect=403)
    assert call(people.ben, "POST", f"promotion-requests/{request.pk}/approve/")["state"] == "applied"
    refused = call(people.root, "DELETE", f"approver-groups/{group['id']}/", expect=409)
    assert "Production of forge" in refused["message"]


def test_members_are_shown_to_the_team_and_to_who_sets_policies(people: People) -> None:
    call(people.root, "POST", "approver-groups/", {"name": "site", "members": ["cleo"]}, expect=201)
    call(people.root, "POST", "approver-groups/", {"name": "ours", "team": "forge", "members": ["ben"]}, expect=201)
    seen = {
        who.name: call(who, "GET", "approver-groups/")["results"] for who in (people.vera, people.cleo, people.root)
    }
    members = {who: {group["name"]: group["members"] for group in groups} for who, groups in seen.items()}
    assert members == {
        "vera": {"site": None, "ours": ["ben"]},
        "cleo": {"site": None},
        "root": {"site": ["cleo"], "ours": ["ben"]},
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"stage": "None"},
        {"stage": "Prod"},
        {"alias": "latest"},
        {"stage": "Production", "alias": "x"},
        {"stage": "Production", "name": "iris"},
        {"stage": "Production", "approvals": 0},
        {"stage": "Production", "approvals": 21},
        {"stage": "Production", "approvals": True},
        {"stage": "Production", "approver_role": "boss"},
        {"stage": "Production", "approver_role": ""},
        {"stage": "Production", "approver_group": 999},
        {"stage": "Production", "ask_level": "all"},
        {"stage": "Production", "override_by": "everybody"},
        {"stage": "Production", "timeout_hours": 0},
        {"stage": "Production", "timeout_hours": 10**30},
        {"stage": "Production", "gates": "metric"},
        {"stage": "Production", "gates": [{"kind": "nonsense"}]},
        {"stage": "Production", "gates": [{"kind": "metric", "params": {"key": "a"}}]},
        {"stage": "Production", "gates": [METRIC, METRIC]},
        {"stage": "Production", "gates": [METRIC] * 21},
    ],
)
def test_bad_policies(people: People, body: Any) -> None:
    call(people.root, "POST", "policies/", body, expect=400)
    assert not Policy.objects.exists()


@pytest.mark.parametrize(
    ("body", "expect"),
    [
        ({}, 400),
        ({"name": " "}, 400),
        ({"name": "x" * 101}, 400),
        ({"name": "a\x00"}, 400),
        ({"name": "x", "description": "x" * 501}, 400),
        ({"name": "x", "members": "ben"}, 400),
        ({"name": "x", "members": ["nobody"]}, 404),
        ({"name": "x", "members": ["bot"]}, 400),
        ({"name": "x", "team": "none"}, 404),
    ],
)
def test_bad_groups(people: People, body: Any, expect: int) -> None:
    accounts.create_user(system_actor(), username="bot", password=None, is_service=True, team=people.forge)
    call(people.root, "POST", "approver-groups/", body, expect=expect)
    assert not ApproverGroup.objects.exists()
