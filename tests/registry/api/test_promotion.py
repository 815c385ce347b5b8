"""Requests, decisions, rollbacks, history and overrides by `/api/v1/`."""

from __future__ import annotations

from typing import Any

import pytest

from apps.registry import actions
from apps.registry.models import Decision, ModelVersion, Override, Placement
from tests.api import call, names
from tests.personas import People
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, set_policy, stage_of
from tests.registry.web.asking import make_maintainer

IRIS = "models/forge/iris"
DESCRIBED = {"kind": "description", "params": {"characters": 5}}


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada, "iris"))


def test_from_asking_to_production(people: People, version: ModelVersion) -> None:
    set_policy(people, approvals=2, gates=(DESCRIBED,))
    mia = make_maintainer(people)
    asked = call(people.ada, "POST", f"{IRIS}/versions/1/requests/", {"stage": "Production"}, expect=201)
    assert (asked["stage"], asked["alias"], asked["state"], asked["round"]) == ("Production", None, "open", 1)
    path = f"promotion-requests/{asked['id']}"
    refused = call(people.max, "POST", f"{path}/approve/", {"round": 1}, expect=409)
    assert refused["details"]["gates"] == [{"gate": "description", "place": 0, "state": "failed"}]
    call(people.ada, "PATCH", f"{IRIS}/versions/1/", {"description": "Trained on all of it."})
    assert call(people.max, "POST", f"{path}/approve/", {"round": 1, "comment": "fine"})["state"] == "open"
    page = call(people.vera, "GET", f"{path}/")
    assert (page["approvals"], page["needed_approvals"], page["may_decide"]) == (1, 2, False)
    assert [gate["state"] for gate in page["gates"]] == ["passed"]
    assert [(word["user"], word["comment"]) for word in page["decisions"]] == [("max", "fine")]
    assert call(mia, "POST", f"{path}/approve/")["state"] == "applied"
    assert stage_of(version) == "Production"


def test_lists_of_mine(people: People, version: ModelVersion) -> None:
    set_policy(people, approvals=2)
    asked = call(people.ada, "POST", f"{IRIS}/versions/1/requests/", {"stage": "Production"}, expect=201)
    seen = {
        view: [line["request"]["id"] for line in call(who, "GET", "promotion-requests/", {"view": view})["results"]]
        for who, view in ((people.max, "to_decide"), (people.ada, "asked"), (people.max, "decided"))
    }
    assert seen == {"to_decide": [asked["id"]], "asked": [asked["id"]], "decided": []}
    call(people.max, "POST", f"promotion-requests/{asked['id']}/reject/", {"comment": "no"})
    assert call(people.vera, "GET", "promotion-requests/", {"state": "open"})["results"] == []
    assert call(people.cleo, "GET", "promotion-requests/")["results"] == []


def test_taking_back(people: People, version: ModelVersion) -> None:
    asked = call(people.vera, "POST", f"{IRIS}/versions/1/requests/", {"alias": "best"}, expect=201)
    assert (asked["stage"], asked["alias"]) == (None, "best")
    call(people.ben, "POST", f"promotion-requests/{asked['id']}/cancel/", expect=403)
    assert call(people.vera, "POST", f"promotion-requests/{asked['id']}/cancel/")["state"] == "cancelled"
    call(people.vera, "POST", f"promotion-requests/{asked['id']}/cancel/", expect=409)


def test_a_direct_move_names_the_way(people: People, version: ModelVersion) -> None:
    set_policy(people)
    answer = call(people.max, "POST", f"{IRIS}/versions/1/stage/", {"stage": "Production"}, expect=403)
    assert "transition-requests/create" in answer["message"]


def test_history_and_going_back(people: People, version: ModelVersion) -> None:
    second = make_version(people.ada, version.model)
    for each in (version, second):
        actions.move_version(people.max.actor, version=each, stage="Production", archive_existing=True)
    first, _now = Placement.objects.filter(slot_name="Production").order_by("pk")
    Placement.objects.filter(pk=first.pk).update(from_ms=1_000, until_ms=2_000)
    query = {"team": "forge", "name": "iris", "stage": "production"}
    assert names(call(people.vera, "GET", "history/", query), "version") == [2, 1]
    assert names(call(people.vera, "GET", "history/", {**query, "at_ms": 1_500}), "version") == [1]
    assert names(call(people.vera, "GET", "history/", {**query, "at": "1970-01-01T00:00:01.5Z"}), "version") == [1]
    assert call(people.vera, "GET", "history/", {**query, "at_ms": 3_000})["results"] == []
    back = call(people.max, "POST", f"{IRIS}/rollback/", {"stage": "Production", "reason": "it fails", "version": 1})
    assert (back["placement"]["version"], back["placement"]["is_rollback"], back["request"]) == (1, True, None)
    asked = call(people.ben, "POST", f"{IRIS}/rollback/", {"stage": "Production", "reason": "x"}, expect=409)
    assert "nothing to go back to" in asked["message"]


def test_history_of_what_was_renamed_and_deleted(people: People, version: ModelVersion) -> None:
    actions.move_version(people.max.actor, version=version, stage="Staging")
    actions.rename_model(people.max.actor, model=version.model, name="lily")
    query = {"team": "forge", "stage": "Staging"}
    assert names(call(people.vera, "GET", "history/", {**query, "name": "lily"}), "version") == [1]
    assert names(call(people.vera, "GET", "history/", {**query, "name": "iris"}), "version") == [1]
    actions.delete_model(people.max.actor, model=version.model)
    assert names(call(people.vera, "GET", "history/", {**query, "name": "iris"}), "left_by") == ["max"]
    call(people.cleo, "GET", "history/", {**query, "name": "iris"}, expect=404)


def test_overrides_are_reviewed(people: People, version: ModelVersion) -> None:
    set_policy(people, override_by="maintainer")
    body = {"stage": "Production", "comment": "it burns"}
    call(people.max, "POST", f"{IRIS}/versions/1/stage/", body)
    override = Override.objects.get()
    assert names(call(people.root, "GET", "overrides/", {"is_reviewed": "false"}), "reason") == ["it burns"]
    assert call(people.max, "GET", "overrides/")["results"] == []
    assert call(people.root, "POST", f"overrides/{override.pk}/review/", {"review": "fine"})["reviewed_by"] == "root"
    call(people.root, "POST", f"overrides/{override.pk}/review/", {"review": "fine"}, expect=409)


@pytest.mark.parametrize("size", [1, 4])
def test_a_list_costs_the_same_however_long(people: People, size: int, django_assert_num_queries: Any) -> None:
    set_policy(people, gates=(DESCRIBED,))
    model = make_model(people.ada, "iris")
    for _ in range(size):
        actions.ask(people.ada.actor, version=make_version(people.ada, model), slot=PRODUCTION)
    call(people.max, "GET", "promotion-requests/")
    with django_assert_num_queries(3):
        call(people.max, "GET", "promotion-requests/")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("approve", {"round": 0}),
        ("approve", {"round": "first"}),
        ("approve", {"comment": "\x00"}),
        ("approve", {"comment": "x" * 65_536}),
        ("reject", {"comment": ["x"]}),
        ("cancel", {"comment": 10**400}),
    ],
)
def test_bad_words(people: People, version: ModelVersion, path: str, body: Any) -> None:
    set_policy(people)
    asked = actions.ask(people.ada.actor, version=version, slot=PRODUCTION)
    answer = people.max.request("POST", f"/api/v1/promotion-requests/{asked.pk}/{path}/", body)
    assert answer.status_code == 400
    asked.refresh_from_db()
    assert asked.is_open and not Decision.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        {"view": "mine"},
        {"state": "half"},
    ],
)
def test_bad_queries(people: People, query: Any) -> None:
    call(people.max, "GET", "promotion-requests/", query, expect=400)


@pytest.mark.parametrize(
    "more",
    [
        {"stage": "x"},
        {"stage": "Production", "alias": "champion"},
        {"at": "yesterday"},
        {"at_ms": -1},
        {"at_ms": 1, "at": "2026-01-01T00:00Z"},
    ],
)
def test_bad_moments(people: People, version: ModelVersion, more: Any) -> None:
    call(people.max, "GET", "history/", {"team": "forge", "name": "iris", **more}, expect=400)
