from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Grant
from tests.api import call
from tests.personas import People


@pytest.fixture
def iris(people: People) -> Any:
    experiment_id = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    return {"kind": "experiment", "object_id": experiment_id}


def test_sharing_and_taking_back(people: People, iris: Any) -> None:
    grant = call(people.ada, "POST", "grants/", {**iris, "user": "cleo", "level": "read"}, expect=201)
    assert (grant["user"], grant["team"], grant["level"]) == ("cleo", None, "read")
    people.cleo.call("GET", "experiments/get", {"experiment_id": iris["object_id"]})
    again = call(people.ada, "POST", "grants/", {**iris, "user": "cleo", "level": "edit"}, expect=201)
    assert (again["id"], again["level"]) == (grant["id"], "edit")
    assert [row["id"] for row in call(people.ada, "GET", "grants/", iris)["results"]] == [grant["id"]]
    call(people.ada, "DELETE", f"grants/{grant['id']}/", expect=204)
    people.cleo.call("GET", "experiments/get", {"experiment_id": iris["object_id"]}, expect=404)
    call(people.ada, "DELETE", f"grants/{grant['id']}/", expect=404)


def test_sharing_with_a_team(people: People, iris: Any) -> None:
    grant = call(people.ada, "POST", "grants/", {**iris, "team": "harbour", "level": "read"}, expect=201)
    assert grant["team"] == "harbour"
    people.cleo.call("GET", "experiments/get", {"experiment_id": iris["object_id"]})


def test_what_a_disabled_person_was_granted_can_be_taken_back(people: People, iris: Any) -> None:
    named = {"experiment_id": iris["object_id"], "username": "cleo"}
    call(people.ada, "POST", "grants/", {**iris, "user": "cleo", "level": "read"}, expect=201)
    call(people.root, "PATCH", "users/cleo/", {"is_active": False})
    call(people.ada, "POST", "grants/", {**iris, "user": "cleo", "level": "edit"}, expect=404)
    page = f"/share/experiment/{iris['object_id']}/revoke/"
    people.ada.browser().post(page, {"holder_kind": "user", "holder": "cleo"})
    assert not Grant.objects.exists()
    people.ada.call("DELETE", "experiments/permissions/delete", named, expect=404)


def test_a_grant_does_not_tell_strangers_what_it_is_on(people: People, iris: Any) -> None:
    grant = call(people.ada, "POST", "grants/", {**iris, "user": "ben", "level": "manage"}, expect=201)
    answer = people.cleo.request("DELETE", f"/api/v1/grants/{grant['id']}/")
    assert (answer.status_code, answer.json()["message"]) == (404, f"Grant {grant['id']} not found.")


def test_who_does_not_manage_it_shares_nothing(people: People, iris: Any) -> None:
    for who, status in ((people.ben, 403), (people.vera, 403), (people.cleo, 404)):
        call(who, "POST", "grants/", {**iris, "user": "cleo", "level": "manage"}, expect=status)
        call(who, "GET", "grants/", iris, expect=status)
    grant = call(people.ada, "POST", "grants/", {**iris, "user": "cleo", "level": "read"}, expect=201)
    call(people.cleo, "DELETE", f"grants/{grant['id']}/", expect=403)
    call(people.ben, "DELETE", f"grants/{grant['id']}/", expect=403)
    assert Grant.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "house"},
        {"object_id": "999"},
        {"object_id": "x"},
        {"level": "own"},
        {"user": None},
        {"user": "nobody"},
        {"team": "harbour"},
        {"kind": "deployment"},
    ],
)
def test_bad_input_shares_nothing(people: People, iris: Any, change: dict[str, Any]) -> None:
    body = {**iris, "user": "cleo", "level": "read", **change}
    response = people.ada.request("POST", "/api/v1/grants/", body)
    assert response.status_code in (400, 404)
    assert not Grant.objects.exists()
