"""By name, and searches."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Level
from tests.personas import People, Persona


def _experiment(persona: Persona, name: str, **tags: str) -> str:
    body = {"name": name, "tags": [{"key": key, "value": value} for key, value in tags.items()]}
    return str(persona.call("POST", "experiments/create", body)["experiment_id"])


def _names(persona: Persona, **body: object) -> list[str]:
    answer = persona.call("POST", "experiments/search", {"max_results": 100} | body)
    return [experiment["name"] for experiment in answer.get("experiments", [])]


def _grant(to: Persona, experiment_id: str) -> None:
    Grant.objects.create(kind=ObjectKind.EXPERIMENT, object_id=int(experiment_id), user=to.user, level=Level.READ)


def test_by_name_in_ones_own_team_first_then_what_was_granted(people: People) -> None:
    theirs = _experiment(people.ada, "iris")
    answer = people.cleo.call("GET", "experiments/get-by-name", {"experiment_name": "iris"}, expect=404)
    assert answer["message"] == "Could not find experiment with name 'iris'"
    _grant(people.cleo, theirs)
    found = people.cleo.call("GET", "experiments/get-by-name", {"experiment_name": "iris"})["experiment"]
    assert (found["experiment_id"], found["workspace"]) == (theirs, "forge")
    own = _experiment(people.cleo, "iris")
    found = people.cleo.call("GET", "experiments/get-by-name", {"experiment_name": "iris"})["experiment"]
    assert found["experiment_id"] == own


def test_a_name_granted_by_two_teams_names_both(people: People) -> None:
    from apps.accounts.actions import create_team, create_user
    from apps.core.actor import Role, system_actor
    from tests.personas import token_for

    dan_team = create_team(system_actor(), name="outpost")
    user = create_user(system_actor(), username="dan", password=None, team=dan_team, role=Role.MEMBER)
    dan = Persona(user, token_for(user))
    for persona in (people.ada, people.cleo):
        _grant(dan, _experiment(persona, "iris"))
    answer = dan.call("GET", "experiments/get-by-name", {"experiment_name": "iris"}, expect=409)
    assert "forge, harbour" in answer["message"]


def test_one_in_the_trash_is_found_by_name(people: People) -> None:
    people.ada.call("POST", "experiments/delete", {"experiment_id": _experiment(people.ada, "iris")})
    found = people.ada.call("GET", "experiments/get-by-name", {"experiment_name": "iris"})["experiment"]
    assert found["lifecycle_stage"] == "deleted"


def test_filters(people: People) -> None:
    first, _, _ = (_experiment(people.ada, name, **tags) for name, tags in _SAMPLES)
    expected = {
        "name = 'iris'": ["iris"],
        "name LIKE 'I%'": [],
        "name ILIKE 'I%'": ["iris"],
        "attribute.name != 'iris'": ["boston", "wine"],
        "tags.kind = 'flower'": ["iris"],
        "tag.`kind` != 'flower'": ["wine"],
        "tags.kind IS NULL": ["boston"],
        "tags.kind IS NOT NULL": ["iris", "wine"],
        "creation_time > 5 AND last_update_time > 5": ["boston", "iris", "wine"],
        "creation_time < 5": [],
        f"experiment_id = '{first}'": ["iris"],
        f"experiment_id IN ('{first}', '99999')": ["iris"],
        f"experiment_id != '{first}'": ["boston", "wine"],
        "name = 'iris' OR name = 'wine'": ["iris", "wine"],
    }
    assert {text: _names(people.vera, filter=text, order_by=["name"]) for text in expected} == expected


_SAMPLES: list[tuple[str, dict[str, str]]] = [("iris", {"kind": "flower"}), ("wine", {"kind": "drink"}), ("boston", {})]


def test_pages_and_orders(people: People) -> None:
    for name in ("b", "a", "c"):
        _experiment(people.ada, name)
    assert _names(people.ada, order_by=["name DESC"]) == ["c", "b", "a"]
    assert _names(people.ada, order_by=["experiment_id ASC"]) == ["b", "a", "c"]
    query = {"max_results": "1", "order_by": ["name"], "view_type": "ALL"}
    first = people.ada.call("GET", "experiments/search", query)
    second = people.ada.call("GET", "experiments/search", query | {"page_token": first["next_page_token"]})
    assert [page["experiments"][0]["name"] for page in (first, second)] == ["a", "b"]


def test_views_of_the_trash(people: People) -> None:
    people.ada.call("POST", "experiments/delete", {"experiment_id": _experiment(people.ada, "gone")})
    _experiment(people.ada, "kept")
    assert _names(people.ada) == ["kept"]
    assert _names(people.ada, view_type="DELETED_ONLY") == ["gone"]
    assert sorted(_names(people.ada, view_type=3)) == ["gone", "kept"]


def test_another_team_sees_what_was_granted_only(people: People) -> None:
    experiment_id = _experiment(people.ada, "shared")
    _experiment(people.ada, "private")
    assert _names(people.cleo) == []
    _grant(people.cleo, experiment_id)
    assert _names(people.cleo) == ["shared"]


@pytest.mark.parametrize(
    "body",
    [
        {"max_results": None},
        {"max_results": 0},
        {"max_results": 50_001},
        {"filter": "foo = 'x'"},
        {"filter": "attr.name = 'x'"},
        {"filter": "experiment_id LIKE '1'"},
        {"filter": "experiment_id = 'abc'"},
        {"filter": "creation_time > 5.5"},
        {"filter": "team__name = 'x'"},
        {"order_by": ["tags.a"]},
        {"order_by": ["name, creation_time"]},
        {"page_token": "junk"},
    ],
)
def test_bad_input(people: People, body: dict[str, object]) -> None:
    answer = people.ada.call("POST", "experiments/search", {"max_results": 9} | body, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


def test_statements_are_few(people: People) -> None:
    for name in ("a", "b", "c"):
        _experiment(people.ada, name, kind="x")
    people.ada.call("GET", "experiments/get", {"experiment_id": "0"})
    with CaptureQueriesContext(connection) as captured:
        _names(people.ada, filter="tags.kind = 'x'")
    assert len(captured) == 3, [query["sql"] for query in captured]
    with CaptureQueriesContext(connection) as captured:
        people.ada.call("GET", "experiments/get-by-name", {"experiment_name": "a"})
    assert len(captured) == 2, [query["sql"] for query in captured]
