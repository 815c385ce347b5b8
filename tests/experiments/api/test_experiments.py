from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.audit.models import Event
from apps.core.actor import Scope
from tests.api import call, names
from tests.personas import People, Persona, token_for


@pytest.fixture
def iris(people: People) -> Any:
    body = {"name": "iris", "description": "*Flowers*", "tags": {"colour": "blue"}}
    return call(people.ada, "POST", "experiments/", body, expect=201)


def test_the_life_of_an_experiment(people: People, iris: Any) -> None:
    path = f"experiments/{iris['id']}/"
    assert (iris["team"], iris["owner"], iris["description"], iris["tags"]) == (
        "forge",
        "ada",
        "*Flowers*",
        {"colour": "blue"},
    )
    assert call(people.vera, "GET", path) == iris
    changed = call(people.ben, "PATCH", path, {"name": "iris 2", "description": "Flowers."})
    assert (changed["name"], changed["description"]) == ("iris 2", "Flowers.")
    call(people.ada, "DELETE", path, expect=204)
    assert call(people.ada, "GET", path)["is_deleted"] is True
    assert call(people.ada, "POST", f"{path}restore/")["is_deleted"] is False
    codes = list(Event.objects.filter(object_kind="experiment", object_id=iris["id"]).values_list("code", flat=True))
    assert sorted(codes) == [
        "experiment.created",
        "experiment.deleted",
        "experiment.renamed",
        "experiment.restored",
        "experiment.tag_set",
    ]


def test_search_by_name_and_view(people: People, iris: Any) -> None:
    call(people.ada, "POST", "experiments/", {"name": "wine"}, expect=201)
    assert names(call(people.vera, "GET", "experiments/", {"name": "IRI"}), "name") == ["iris"]
    call(people.ada, "DELETE", f"experiments/{iris['id']}/", expect=204)
    assert names(call(people.vera, "GET", "experiments/"), "name") == ["wine"]
    assert names(call(people.vera, "GET", "experiments/", {"view": "DELETED_ONLY"}), "name") == ["iris"]
    assert names(call(people.vera, "GET", "experiments/", {"view": "ALL"}), "name") == ["wine", "iris"]


def test_pages_lead_on(people: People) -> None:
    for number in range(5):
        call(people.ada, "POST", "experiments/", {"name": f"n{number}"}, expect=201)
    first = call(people.ada, "GET", "experiments/", {"page_size": 3})
    rest = call(people.ada, "GET", "experiments/", {"page_size": 3, "page_token": first["next_page_token"]})
    assert names(first, "name") + names(rest, "name") == ["n4", "n3", "n2", "n1", "n0"]
    assert rest["next_page_token"] is None
    other = {"name": "n", "page_token": first["next_page_token"]}
    call(people.ada, "GET", "experiments/", other, expect=400)


def test_another_team_sees_nothing(people: People, iris: Any) -> None:
    path = f"experiments/{iris['id']}/"
    assert call(people.cleo, "GET", "experiments/")["results"] == []
    for method, tail in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "restore/")):
        call(people.cleo, method, path + tail, {"name": "x"} if method == "PATCH" else None, expect=404)
    assert call(people.cleo, "POST", "experiments/", {"name": "iris"}, expect=201)["team"] == "harbour"


def test_a_viewer_writes_nothing_and_a_member_deletes_only_ones_own(people: People, iris: Any) -> None:
    path = f"experiments/{iris['id']}/"
    call(people.vera, "POST", "experiments/", {"name": "x"}, expect=403)
    call(people.vera, "PATCH", path, {"name": "x"}, expect=403)
    call(people.vera, "DELETE", path, expect=403)
    call(people.ben, "DELETE", path, expect=403)
    call(people.max, "DELETE", path, expect=204)


def test_scopes(people: People, iris: Any) -> None:
    path = f"experiments/{iris['id']}/"
    for scope, reads, writes in ((Scope.READ, 200, 403), (Scope.TRACKING, 200, 200), (Scope.SERVE, 403, 403)):
        holder = Persona(people.ada.user, token_for(people.ada.user, scope))
        call(holder, "GET", path, expect=reads)
        call(holder, "PATCH", path, {"description": "x"}, expect=writes)


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x" * 501}, {"name": "x\u0000"}, {"name": "x", "tags": [1]}, {"name": {"a": 1}}, []],
)
def test_bad_input_makes_nothing(people: People, body: object) -> None:
    call(people.ada, "POST", "experiments/", body, expect=400)
    assert call(people.ada, "GET", "experiments/")["results"] == []


@pytest.mark.parametrize(
    "body", [b"{", b"{}{}", b"", b"\xff", b"NaN", b"[" * 100_000, b'{"name": "\\ud800"}', b"7" * 5000]
)
def test_broken_json(people: People, body: bytes) -> None:
    response = people.ada.request("POST", "/api/v1/experiments/", body)
    assert response.status_code == 400
    assert set(response.json()) >= {"error_code", "message"}


def test_a_body_that_is_too_large_or_of_another_type(people: People) -> None:
    call(people.ada, "POST", "experiments/", b" " * 1_100_000, expect=413)
    headers = {"Authorization": f"Bearer {people.ada.token}"}
    response = Client().post("/api/v1/experiments/", "name=x", content_type="text/plain", headers=headers)
    assert (response.status_code, response.json()["error_code"]) == (415, "BAD_REQUEST")


def test_a_taken_name(people: People, iris: Any) -> None:
    answer = call(people.ada, "POST", "experiments/", {"name": "iris"}, expect=400)
    assert answer["error_code"] == "RESOURCE_ALREADY_EXISTS"


@pytest.mark.parametrize("path", ["experiments/999999/", "experiments/x/", "experiments/-1/", "nothing/"])
def test_what_is_not_there(people: People, path: str) -> None:
    answer = call(people.ada, "GET", path, expect=404)
    assert answer["error_code"] in ("RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND")


def test_a_wrong_verb(people: People, iris: Any) -> None:
    call(people.ada, "PUT", f"experiments/{iris['id']}/", {}, expect=405)


def test_the_number_of_statements_does_not_grow(people: People, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        call(people.ada, "POST", "experiments/", {"name": f"n{number}", "tags": {"a": "b"}}, expect=201)
    call(people.ada, "GET", "experiments/")
    with django_assert_max_num_queries(3):
        call(people.ada, "GET", "experiments/")
