from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import ObjectKind
from apps.notifications.models import Choice, Subscription
from apps.registry.models import ModelVersion
from tests.personas import People, Persona
from tests.registry.promotion.making import make_model, make_version, set_policy, stage_of


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada, "iris"))


def get(who: Persona, expect: int = 200) -> Any:
    return who.call("GET", "databricks/registered-models/get", {"name": "iris"}, expect=expect)


def move(who: Persona, stage: str, expect: int = 200, **more: Any) -> Any:
    send = {"name": "iris", "version": "1", "stage": stage, "archive_existing_versions": False, **more}
    return who.call("POST", "databricks/model-versions/transition-stage", send, expect=expect)


def test_a_model_with_its_id_and_the_viewers_level(people: People, version: ModelVersion) -> None:
    found = get(people.vera)["registered_model_databricks"]
    assert (found["id"], found["name"], found["user_id"]) == (str(version.model_id), "iris", "ada")
    assert [each["version"] for each in found["latest_versions"]] == ["1"]
    levels = [get(who)["registered_model_databricks"]["permission_level"] for who in _insiders(people)]
    assert levels == ["CAN_READ", "CAN_EDIT", "CAN_EDIT", "CAN_MANAGE"]
    get(people.cleo, 404)


def _insiders(people: People) -> list[Persona]:
    """Ada made the model, which gives her no right over its stages."""
    return [people.vera, people.ben, people.ada, people.max]


def test_a_direct_move_with_a_comment(people: People, version: ModelVersion) -> None:
    people.ben.call(
        "POST", "transition-requests/create", {"name": "iris", "version": "1", "stage": "Archived", "comment": "old"}
    )
    Subscription.objects.create(
        user=people.max.user, kind=ObjectKind.REGISTERED_MODEL, object_id=version.model_id, choice=Choice.ALL
    )
    moved = move(people.max, "Production", comment="go")["model_version_databricks"]
    assert (moved["current_stage"], moved["permission_level"], moved["version"]) == ("Production", "CAN_MANAGE", "1")
    assert [each["to_stage"] for each in moved["open_requests"]] == ["Archived"]
    assert moved["email_subscription_status"] == "ALL_EVENTS"
    assert moved["feature_list"] == {"features": []}


def test_a_direct_move_wants_the_right(people: People, version: ModelVersion) -> None:
    for who in (people.vera, people.ben, people.ada):
        assert "transition-requests/create" in move(who, "Production", 403)["message"]
    move(people.cleo, "Production", 404)
    assert stage_of(version) == "None"


def test_a_policy_names_the_way(people: People, version: ModelVersion) -> None:
    set_policy(people)
    for who in (people.ben, people.max):
        assert "transition-requests/create" in move(who, "production", 403)["message"]
    assert stage_of(version) == "None"


@pytest.mark.parametrize(
    ("stage", "more"),
    [
        ("None", {}),
        ("Prod", {}),
        ("", {}),
        ("Archived", {"archive_existing_versions": True}),
        ("Production", {"archive_existing_versions": "x"}),
        ("Production", {"comment": "x" * 65_536}),
        ("Production", {"version": "one"}),
    ],
)
def test_what_cannot_be_moved(people: People, version: ModelVersion, stage: str, more: dict[str, Any]) -> None:
    assert move(people.max, stage, 400, **more)["error_code"] == "INVALID_PARAMETER_VALUE"
    assert stage_of(version) == "None"


def test_the_list_of_models(people: People, version: ModelVersion) -> None:
    make_model(people.ada, "abalone")
    first = people.vera.call("GET", "registered-models/list", {"max_results": 1})
    rest = people.vera.call("GET", "registered-models/list", {"page_token": first["next_page_token"]})
    names = [model["name"] for model in first["registered_models"] + rest["registered_models"]]
    assert names == ["abalone", "iris"]
    assert people.cleo.call("GET", "registered-models/list")["registered_models"] == []
    for wrong in ({"max_results": 0}, {"max_results": 1001}, {"page_token": "x"}):
        people.vera.call("GET", "registered-models/list", wrong, expect=400)


def test_statements_of_a_model(
    people: People, version: ModelVersion, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    get(people.vera)
    with django_assert_num_queries(9):
        get(people.vera)
