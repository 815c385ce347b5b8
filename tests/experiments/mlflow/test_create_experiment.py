from __future__ import annotations

import json

import pytest
from pytest_django import Settings

from apps.audit.models import Event
from tests.personas import People


def test_it_works_and_is_recorded(people: People) -> None:
    body = {"name": "iris", "tags": [{"key": "a", "value": "1"}]}
    experiment_id = people.ada.call("POST", "experiments/create", body)["experiment_id"]
    found = people.ada.call("GET", "experiments/get", {"experiment_id": experiment_id})["experiment"]
    assert found["tags"] == [{"key": "a", "value": "1"}]
    assert (found["lifecycle_stage"], found["workspace"]) == ("active", "forge")
    assert found["artifact_location"] == f"mlflow-artifacts:/{experiment_id}"
    assert found["creation_time"] == found["last_update_time"]
    event = Event.objects.get(code="experiment.created")
    assert (event.object_name, event.actor_name, event.team_name) == ("iris", "ada", "forge")


def test_a_viewer_may_not(people: People) -> None:
    answer = people.vera.call("POST", "experiments/create", {"name": "iris"}, expect=403)
    assert answer["error_code"] == "PERMISSION_DENIED"


def test_a_name_is_taken_in_its_team_also_from_the_trash(people: People) -> None:
    experiment_id = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    people.ada.call("POST", "experiments/delete", {"experiment_id": experiment_id})
    answer = people.ben.call("POST", "experiments/create", {"name": "iris"}, expect=400)
    assert answer["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert answer["message"] == "Experiment(name=iris) already exists."
    people.cleo.call("POST", "experiments/create", {"name": "iris"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 501},
        {"name": 5},
        {"name": "x", "tags": [{"key": "k" * 251, "value": ""}]},
        {"name": "x", "tags": [{"key": "a//b", "value": ""}]},
        {"name": "x", "tags": [{"key": "a", "value": "v" * 20_001}]},
        {"name": "x", "tags": [None]},
        {"name": "a\x00b"},
    ],
)
def test_bad_input(people: People, body: dict[str, object]) -> None:
    answer = people.ada.call("POST", "experiments/create", body, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert people.ada.call("POST", "experiments/search", {"max_results": 9}) == {}


def test_a_nul_is_refused_however_it_is_encoded(people: People) -> None:
    once = json.dumps({"name": "a\x00"})
    twice = json.dumps(once).replace("\\\\u0000", "\\u005cu0000")
    for body in (once, json.dumps(once), twice):
        people.ada.call("POST", "experiments/create", body, expect=400)


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc",
        "/etc",
        "FILE:///x",
        "sqlite:///x",
        "javascript:alert(1)",
        "data:text/plain,x",
        "ftp://host/x",
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest",
        "mlflow-artifacts:/5",
        "mlflow-artifacts:/../x",
        "s3://other/x",
        "s3://allowed-but-longer/x",
        "s3://allowed/../x",
        "s3://allowed/a/./x",
        "s3://allowed/a//x",
        "s3://allowed/x?y",
        "s3://allowed/x#y",
        "s3://allowed/x;y",
        "s3://allowed/%2f",
        "s3://allowed/" + "x" * 2000,
        "rel/dir",
    ],
)
def test_a_location_that_is_not_allowed(people: People, settings: Settings, location: str) -> None:
    settings.ARTIFACT_LOCATIONS = ["s3://allowed"]
    body = {"name": "x", "artifact_location": location}
    answer = people.ada.call("POST", "experiments/create", body, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_location_that_the_operator_allows(people: People, settings: Settings) -> None:
    settings.ARTIFACT_LOCATIONS = ["s3://allowed/prefix/"]
    body = {"name": "x", "artifact_location": "s3://allowed/prefix/iris"}
    experiment_id = people.ada.call("POST", "experiments/create", body)["experiment_id"]
    found = people.ada.call("GET", "experiments/get", {"experiment_id": experiment_id})["experiment"]
    assert found["artifact_location"] == "s3://allowed/prefix/iris"
