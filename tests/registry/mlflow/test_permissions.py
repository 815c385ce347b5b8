"""Registered models through the protocol's routes of rights, older and newer."""

from __future__ import annotations

import pytest

from apps.accounts import actions
from apps.core.actor import system_actor
from tests.personas import PASSWORD, People, Persona, token_for

pytestmark = pytest.mark.django_db
PERMISSIONS = "registered-models/permissions"
MODEL = {"name": "iris"}


@pytest.fixture
def zoe(people: People) -> Persona:
    """Somebody in no team."""
    user = actions.create_user(system_actor(), username="zoe", password=PASSWORD)
    people.ada.call("POST", "registered-models/create", MODEL)
    return Persona(user, token_for(user))


def test_the_maker_shares_changes_and_takes_back(people: People, zoe: Persona) -> None:
    zoe.call("GET", "registered-models/get", MODEL, expect=404)
    given = {**MODEL, "username": "zoe", "permission": "READ"}
    made = people.ada.call("POST", f"{PERMISSIONS}/create", given)
    shown = {"name": "iris", "user_id": zoe.user.pk, "permission": "READ"}
    assert made == {"registered_model_permission": shown}
    assert zoe.call("GET", "registered-models/search")["registered_models"][0]["name"] == "iris"
    zoe.call("PATCH", "registered-models/update", {**MODEL, "description": "x"}, expect=403)
    people.ada.call("POST", f"{PERMISSIONS}/create", given, expect=400)
    people.ada.call("PATCH", f"{PERMISSIONS}/update", {**given, "permission": "EDIT"})
    zoe.call("PATCH", "registered-models/update", {**MODEL, "description": "x"})
    named = {**MODEL, "username": "zoe"}
    found = people.ada.call("GET", f"{PERMISSIONS}/get", named)["registered_model_permission"]
    assert found["permission"] == "EDIT"
    people.ada.call("DELETE", f"{PERMISSIONS}/delete", named)
    zoe.call("GET", "registered-models/get", MODEL, expect=404)
    people.ada.call("GET", f"{PERMISSIONS}/get", named, expect=404)


def test_who_made_it_may_not_give_away_its_stages(people: People, zoe: Persona) -> None:
    given = {**MODEL, "username": "zoe", "permission": "MANAGE"}
    people.ada.call("POST", f"{PERMISSIONS}/create", given, expect=403)
    people.max.call("POST", f"{PERMISSIONS}/create", given)


def test_the_newer_routes(people: People, zoe: Persona) -> None:
    asked = {"username": "zoe", "resource_type": "registered_model", "resource_id": "iris"}
    path = "/api/3.0/mlflow/users/permissions"
    assert zoe.request("GET", f"{path}/get", asked).json() == {"allowed": False, "permission": "NO_PERMISSIONS"}
    assert people.ada.request("POST", f"{path}/grant", {**asked, "permission": "EDIT"}).status_code == 200
    assert zoe.request("GET", f"{path}/get", asked).json() == {"allowed": True, "permission": "EDIT"}
    assert people.cleo.request("POST", f"{path}/grant", {**asked, "permission": "EDIT"}).status_code == 404
    assert people.ada.request("POST", f"{path}/revoke", asked).status_code == 200
