from __future__ import annotations

import pytest

from apps.accounts.models import Membership
from tests.api import call, names
from tests.personas import People


def test_an_administrator_makes_describes_and_deletes_a_team(people: People) -> None:
    assert call(people.root, "POST", "teams/", {"name": "dock"}, expect=201)["name"] == "dock"
    assert call(people.root, "PATCH", "teams/dock/", {"description": "Dry."})["description"] == "Dry."
    call(people.root, "DELETE", "teams/dock/", expect=204)
    call(people.root, "GET", "teams/dock/", expect=404)


def test_one_sees_ones_own_teams(people: People) -> None:
    assert names(call(people.vera, "GET", "teams/"), "name") == ["forge"]
    assert call(people.vera, "GET", "teams/forge/")["name"] == "forge"
    call(people.cleo, "GET", "teams/forge/", expect=404)
    call(people.cleo, "GET", "teams/forge/members/", expect=404)


def test_members(people: People) -> None:
    assert call(people.root, "PUT", "teams/forge/members/cleo/", {"role": "viewer"}, expect=201)["role"] == "viewer"
    assert call(people.root, "PUT", "teams/forge/members/cleo/", {"role": "member"})["role"] == "member"
    listed = call(people.vera, "GET", "teams/forge/members/")["results"]
    assert {member["username"]: member["role"] for member in listed}["cleo"] == "member"
    call(people.root, "DELETE", "teams/forge/members/cleo/", expect=204)
    call(people.root, "DELETE", "teams/forge/members/cleo/", expect=404)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "teams/forge/", {"description": "x"}),
        ("DELETE", "teams/forge/", None),
        ("PUT", "teams/forge/members/cleo/", {"role": "admin"}),
        ("PUT", "teams/forge/members/max/", {"role": "admin"}),
        ("DELETE", "teams/forge/members/ada/", None),
    ],
)
def test_others_write_nothing(people: People, method: str, path: str, body: object) -> None:
    before = list(Membership.objects.values_list("user", "team", "role"))
    call(people.max, method, path, body, expect=403)
    call(people.cleo, method, path, body, expect=404)
    assert list(Membership.objects.values_list("user", "team", "role")) == before


def test_a_disabled_member_can_be_removed(people: People) -> None:
    call(people.root, "PATCH", "users/ben/", {"is_active": False})
    call(people.root, "DELETE", "teams/forge/members/ben/", expect=204)
    assert "ben" not in names(call(people.root, "GET", "teams/forge/members/"), "username")


def test_a_team_whose_default_holds_a_model_stays(people: People) -> None:
    call(people.root, "POST", "teams/", {"name": "dock"}, expect=201)
    model = {"experiment_id": "0", "name": "net"}
    made = people.root.call("POST", "logged-models", model, x_mlflow_workspace="dock")
    call(people.root, "DELETE", "teams/dock/", expect=409)
    people.root.call("GET", f"logged-models/{made['model']['info']['model_id']}")


def test_only_administrators_make_teams(people: People) -> None:
    call(people.max, "POST", "teams/", {"name": "dock"}, expect=403)


@pytest.mark.parametrize("name", ["", "A", "a", "-ab", "workspaces", "x" * 64, "a b", 7, None])
def test_bad_names(people: People, name: object) -> None:
    call(people.root, "POST", "teams/", {"name": name}, expect=400)


def test_a_role_that_is_none(people: People) -> None:
    answer = call(people.root, "PUT", "teams/forge/members/cleo/", {"role": "king"}, expect=400)
    assert "role" in answer["fields"]
