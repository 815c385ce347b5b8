from __future__ import annotations

from typing import Any

import pytest

from tests.personas import People

PATH = "/api/3.0/mlflow/workspaces"


def test_made_described_and_deleted(people: People) -> None:
    made = people.root.request("POST", PATH, {"name": "foundry", "description": "casts"})
    assert (made.status_code, made.json()) == (201, {"workspace": {"name": "foundry", "description": "casts"}})
    changed = people.root.request("PATCH", f"{PATH}/foundry", {"description": ""}).json()
    assert changed["workspace"]["description"] == ""
    gone = people.root.request("DELETE", f"{PATH}/foundry")
    assert (gone.status_code, gone.content) == (204, b"")
    assert people.root.request("GET", f"{PATH}/foundry").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "default"},
        {"name": "Forge!"},
        {"name": "a"},
        {"name": "workspaces"},
        {"name": "x" * 64},
        {"name": "forge"},
        {"name": "foundry", "default_artifact_root": "s3://x"},
        {"name": "foundry", "trace_archival_config": {"location": "s3://x"}},
        {"name": "foundry", "description": "x" * 2001},
    ],
)
def test_bad_new_workspaces(people: People, body: dict[str, Any]) -> None:
    assert people.root.request("POST", PATH, body).status_code == 400


def test_one_that_holds_something_stays(people: People) -> None:
    people.ada.call("POST", "experiments/create", {"name": "iris"})
    answer = people.root.request("DELETE", f"{PATH}/forge")
    assert answer.status_code == 409
    assert "experiments" in answer.json()["message"]


def test_an_untouched_default_experiment_goes_with_it(people: People) -> None:
    people.ada.call("GET", "experiments/get", {"experiment_id": "0"})
    assert people.root.request("DELETE", f"{PATH}/forge").status_code == 204


@pytest.mark.parametrize("mode", ["CASCADE", "SET_DEFAULT", "ANY"])
def test_other_ways_to_delete_are_refused(people: People, mode: str) -> None:
    assert people.root.request("DELETE", f"{PATH}/forge?mode={mode}").status_code == 400


def test_one_sees_the_own(people: People) -> None:
    assert [team["name"] for team in people.cleo.request("GET", PATH).json()["workspaces"]] == ["harbour"]
    assert people.cleo.request("GET", f"{PATH}/forge").status_code == 404
