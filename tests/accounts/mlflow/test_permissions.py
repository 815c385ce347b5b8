from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions
from apps.core.actor import system_actor
from tests.personas import PASSWORD, People, Persona, token_for

PERMISSIONS = "experiments/permissions"


@pytest.fixture
def zoe(people: People) -> Persona:
    """Somebody in no team."""
    user = actions.create_user(system_actor(), username="zoe", password=PASSWORD)
    return Persona(user, token_for(user))


@pytest.fixture
def experiment(people: People) -> str:
    made: str = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    return made


def given(experiment: str, level: str = "READ", username: str = "zoe") -> dict[str, Any]:
    return {"experiment_id": experiment, "username": username, "permission": level}


def test_the_maker_shares_changes_and_takes_back(people: People, zoe: Persona, experiment: str) -> None:
    zoe.call("GET", "experiments/get", {"experiment_id": experiment}, expect=404)
    made = people.ada.call("POST", f"{PERMISSIONS}/create", given(experiment))
    assert made == {
        "experiment_permission": {"experiment_id": experiment, "user_id": zoe.user.pk, "permission": "READ"}
    }
    zoe.call("GET", "experiments/get", {"experiment_id": experiment})
    zoe.call("POST", "runs/create", {"experiment_id": experiment}, expect=403)
    people.ada.call("PATCH", f"{PERMISSIONS}/update", given(experiment, "EDIT"))
    zoe.call("POST", "runs/create", {"experiment_id": experiment})
    found = people.ada.call("GET", f"{PERMISSIONS}/get", {"experiment_id": experiment, "username": "zoe"})
    assert found["experiment_permission"]["permission"] == "EDIT"
    people.ada.call("DELETE", f"{PERMISSIONS}/delete", {"experiment_id": experiment, "username": "zoe"})
    zoe.call("GET", "experiments/get", {"experiment_id": experiment}, expect=404)


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("ADMIN", "Invalid permission 'ADMIN'"),
        ("DENY", "Invalid permission 'DENY'"),
        ("", "Missing value for required parameter 'permission'"),
    ],
)
def test_bad_levels(people: People, zoe: Persona, experiment: str, level: str, message: str) -> None:
    answer = people.ada.call("POST", f"{PERMISSIONS}/create", given(experiment, level), expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert message in answer["message"]


def test_a_second_grant_and_none_at_all(people: People, zoe: Persona, experiment: str) -> None:
    people.ada.call("POST", f"{PERMISSIONS}/create", given(experiment))
    again = people.ada.call("POST", f"{PERMISSIONS}/create", given(experiment), expect=400)
    assert again["error_code"] == "RESOURCE_ALREADY_EXISTS"
    people.ada.call("PATCH", f"{PERMISSIONS}/update", given(experiment, "NO_PERMISSIONS"))
    named = {"experiment_id": experiment, "username": "zoe"}
    assert people.ada.call("GET", f"{PERMISSIONS}/get", named, expect=404)["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    people.ada.call("DELETE", f"{PERMISSIONS}/delete", named, expect=404)


def test_a_grant_cannot_take_away_what_a_role_gives(people: People, experiment: str) -> None:
    for verb, path, body in [
        ("PATCH", "update", given(experiment, "NO_PERMISSIONS", "ben")),
        ("PATCH", "update", given(experiment, "READ", "ben")),
        ("DELETE", "delete", {"experiment_id": experiment, "username": "ben"}),
    ]:
        answer = people.ada.call(verb, f"{PERMISSIONS}/{path}", body, expect=400)
        assert "by role in the workspace forge" in answer["message"]


def test_newer_routes(people: People, zoe: Persona, experiment: str) -> None:
    resource = {"username": "zoe", "resource_type": "experiment", "resource_id": experiment}
    path = "/api/3.0/mlflow/users/permissions"
    assert zoe.request("GET", f"{path}/get", resource).json() == {"allowed": False, "permission": "NO_PERMISSIONS"}
    assert people.ada.request("POST", f"{path}/grant", {**resource, "permission": "USE"}).json() == {}
    assert zoe.request("GET", f"{path}/get", resource).json() == {"allowed": True, "permission": "READ"}
    [row] = zoe.request("GET", "/api/3.0/mlflow/users/current/permissions").json()["permissions"]
    assert (row["resource_pattern"], row["permission"], row["workspace"]) == (experiment, "READ", "forge")
    assert people.ada.request("POST", f"{path}/revoke", resource).status_code == 200
    assert people.ada.request("POST", f"{path}/revoke", resource).status_code == 404


@pytest.mark.parametrize("kind", ["workspace", "scorer", ""])
def test_kinds_without_a_counterpart(people: People, zoe: Persona, kind: str) -> None:
    body = {"username": "zoe", "resource_type": kind, "resource_id": "x", "permission": "READ"}
    answer = people.root.request("POST", "/api/3.0/mlflow/users/permissions/grant", body)
    assert answer.status_code == 400


def test_roles_are_memberships(people: People, zoe: Persona) -> None:
    base = "/api/3.0/mlflow"
    roles = people.root.request("GET", f"{base}/roles/list", {"workspace": "forge"}).json()["roles"]
    assert [role["name"] for role in roles] == ["viewer", "member", "maintainer", "admin"]
    member = {"username": "zoe", "role_id": roles[1]["id"]}
    assigned = people.root.request("POST", f"{base}/roles/assign", member).json()["assignment"]
    assert (assigned["user_id"], assigned["role_id"]) == (zoe.user.pk, roles[1]["id"])
    assert people.root.request("POST", f"{base}/roles/assign", member).status_code == 400
    shown = zoe.request("GET", f"{base}/users/roles/list", {"username": "zoe"}).json()["roles"]
    assert [role["name"] for role in shown] == ["member"]
    assert people.root.request("DELETE", f"{base}/roles/unassign", member).status_code == 200
    assert people.root.request("DELETE", f"{base}/roles/unassign", member).status_code == 404
    for number in ("0", "-5", "99999999999999999999", "x", "7"):
        assert people.root.request("GET", f"{base}/roles/get", {"role_id": number}).status_code in (400, 404)
