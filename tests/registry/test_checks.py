"""What CI reports: `/api/v1/models/<team>/<name>/versions/<n>/checks/`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from apps.accounts.actions import create_user
from apps.audit.models import Event
from apps.core.actor import Scope, system_actor
from apps.registry.models import Check, GateResult, ModelVersion
from tests.personas import People, Persona, token_for
from tests.registry.gates.cases import ask, gate, make_version

URL = "/api/v1/models/forge/iris/versions/1/checks/"
PASSED = {"name": "tests", "state": "passed", "text": "120 of 120", "url": "https://ci.example/42"}


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, people.forge)


def test_a_check_is_reported_and_listed(people: People, version: ModelVersion) -> None:
    made = people.ben.request("POST", URL, PASSED)
    assert made.status_code == 201
    (listed,) = people.vera.request("GET", URL).json()["results"]
    assert listed == made.json()
    assert {key: listed[key] for key in PASSED} == PASSED
    assert listed["reporter"] == "ben"


def test_the_last_word_of_each_account_counts(people: People, version: ModelVersion) -> None:
    people.ben.request("POST", URL, PASSED)
    people.ben.request("POST", URL, PASSED | {"state": "failed", "text": ""})
    people.ada.request("POST", URL, PASSED)
    said = Check.objects.order_by("reporter_name").values_list("reporter_name", "state", "text")
    assert list(said) == [("ada", "passed", "120 of 120"), ("ben", "failed", "")]


def test_it_is_an_event(people: People, version: ModelVersion) -> None:
    people.ben.request("POST", URL, PASSED)
    event = Event.objects.get(code="check.reported")
    assert event.after is not None
    assert (event.note, event.object_name, event.after["state"]) == ("tests", "iris version 1", "passed")


def test_open_requests_hear_of_it(
    people: People,
    version: ModelVersion,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]],
) -> None:
    ask(people.ada, version, gate("check", name="tests", reporter="ben"))
    with django_capture_on_commit_callbacks(execute=True):
        people.ben.request("POST", URL, PASSED)
    result = GateResult.objects.get()
    assert (result.state, result.text) == ("passed", "ben reported the check tests as passed: 120 of 120")


def test_who_may_report(people: People, version: ModelVersion) -> None:
    bot = service_account(people)
    for who, status in ((people.vera, 403), (people.cleo, 404), (people.ben, 201), (bot, 201)):
        assert who.request("POST", URL, PASSED).status_code == status, who.name
    narrow = Persona(people.ada.user, token_for(people.ada.user, Scope.TRACKING))
    assert narrow.request("POST", URL, PASSED).status_code == 403


def service_account(people: People) -> Persona:
    """A service account with a token for the registry alone."""
    user = create_user(system_actor(), username="ci", password=None, is_service=True, team=people.forge)
    return Persona(user, token_for(user, Scope.REGISTRY, team=people.forge))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a" * 101},
        {"name": "a\x00"},
        {"name": " a"},
        {"name": "a\u202e"},
        {"state": "green"},
        {"state": None},
        {"text": "a" * 1001},
        {"text": "a\x00"},
        {"url": "javascript:alert(1)"},
        {"url": "//x"},
        {"url": "https://["},
        {"url": "https://a b"},
        {"url": "x"},
        {"url": "https://x/" + "a" * 2000},
    ],
)
def test_bad_input(people: People, version: ModelVersion, wrong: dict[str, Any]) -> None:
    response = people.ben.request("POST", URL, PASSED | wrong)
    assert response.status_code == 400, response.content
    assert not Check.objects.exists()


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"', "1"])
def test_bodies_that_are_none(people: People, version: ModelVersion, body: str) -> None:
    assert people.ben.request("POST", URL, body).status_code == 400


def test_wrong_verb_and_no_such_version(people: People, version: ModelVersion) -> None:
    assert people.ben.request("DELETE", URL).status_code == 405
    assert people.ben.request("POST", URL.replace("/1/", "/2/"), PASSED).status_code == 404


def test_a_reporter_has_so_many_checks_of_a_version_and_takes_no_room_of_others(
    people: People, version: ModelVersion
) -> None:
    said = {"reporter": people.ada.user, "reporter_name": "ada", "state": "passed", "created_ms": 1, "updated_ms": 1}
    Check.objects.bulk_create(Check(version=version, name=f"c{n}", **said) for n in range(100))
    assert people.ada.request("POST", URL, PASSED).status_code == 409
    assert people.ada.request("POST", URL, PASSED | {"name": "c7", "state": "failed"}).status_code == 201
    assert people.ben.request("POST", URL, PASSED).status_code == 201


def test_the_kinds_of_gates(people: People) -> None:
    kinds = {kind["kind"]: kind for kind in people.cleo.request("GET", "/api/v1/gates/").json()}
    of_versions = ["metric", "better", "signature", "input_example", "tag", "description", "check"]
    assert list(kinds) == [*of_versions, "project_run", "build"]
    assert [param["name"] for param in kinds["metric"]["params"]] == ["key", "operator", "value"]
    assert kinds["metric"]["params"][1]["choices"] == [">=", ">", "<=", "<"]
