"""Rename, delete, restore, tags."""

from __future__ import annotations

import pytest

from apps.audit.models import Event
from tests.personas import People, Persona


def _experiment(persona: Persona, name: str = "iris") -> str:
    return str(persona.call("POST", "experiments/create", {"name": name})["experiment_id"])


def _stage(persona: Persona, experiment_id: str) -> str:
    found = persona.call("GET", "experiments/get", {"experiment_id": experiment_id})
    return str(found["experiment"]["lifecycle_stage"])


def test_rename(people: People) -> None:
    experiment_id = _experiment(people.ada)
    people.ben.call("POST", "experiments/update", {"experiment_id": experiment_id, "new_name": "lilies"})
    assert people.ada.call("GET", "experiments/get-by-name", {"experiment_name": "lilies"})
    event = Event.objects.get(code="experiment.renamed")
    assert (event.before, event.after) == ({"name": "iris"}, {"name": "lilies"})


def test_rename_to_a_taken_name(people: People) -> None:
    experiment_id = _experiment(people.ada)
    _experiment(people.ada, "taken")
    body = {"experiment_id": experiment_id, "new_name": "taken"}
    assert people.ada.call("POST", "experiments/update", body, expect=400)["error_code"] == "RESOURCE_ALREADY_EXISTS"


def test_delete_takes_the_runs_along_and_restore_brings_them_back(people: People) -> None:
    experiment_id = _experiment(people.ada)
    run_id = people.ada.call("POST", "runs/create", {"experiment_id": experiment_id})["run"]["info"]["run_id"]
    for verb, stage in [("delete", "deleted"), ("restore", "active")]:
        people.ada.call("POST", f"experiments/{verb}", {"experiment_id": experiment_id})
        assert _stage(people.ada, experiment_id) == stage
        info = people.ada.call("GET", "runs/get", {"run_id": run_id})["run"]["info"]
        assert info["lifecycle_stage"] == stage
        people.ada.call("POST", f"experiments/{verb}", {"experiment_id": experiment_id}, expect=404)
    events = Event.objects.filter(object_kind="experiment", object_id=experiment_id).order_by("id")
    assert list(events.values_list("code", flat=True)) == [
        "experiment.created",
        "experiment.deleted",
        "experiment.restored",
    ]


def test_one_in_the_trash_does_not_change(people: People) -> None:
    experiment_id = _experiment(people.ada)
    people.ada.call("POST", "experiments/delete", {"experiment_id": experiment_id})
    tag = {"experiment_id": experiment_id, "key": "k", "value": "v"}
    answer = people.ada.call("POST", "experiments/set-experiment-tag", tag, expect=400)
    assert "must be in the 'active' state. Current state is deleted." in answer["message"]
    people.ada.call("POST", "experiments/delete-experiment-tag", tag, expect=400)
    people.ada.call("POST", "experiments/update", {"experiment_id": experiment_id, "new_name": "x"}, expect=409)
    people.ada.call("POST", "runs/create", {"experiment_id": experiment_id}, expect=400)


def test_tags(people: People) -> None:
    experiment_id = _experiment(people.ada)
    for value in ("first", "second"):
        tag = {"experiment_id": experiment_id, "key": "k", "value": value}
        people.ben.call("POST", "experiments/set-experiment-tag", tag)
    found = people.ada.call("GET", "experiments/get", {"experiment_id": experiment_id})["experiment"]
    assert found["tags"] == [{"key": "k", "value": "second"}]
    people.ben.call("POST", "experiments/delete-experiment-tag", tag)
    answer = people.ben.call("POST", "experiments/delete-experiment-tag", tag, expect=404)
    assert answer["message"] == f"No tag with name: k in experiment with id {experiment_id}"


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("update", {"new_name": "x"}),
        ("delete", {}),
        ("restore", {}),
        ("set-experiment-tag", {"key": "k", "value": "v"}),
        ("delete-experiment-tag", {"key": "k"}),
    ],
)
def test_who_may_not(people: People, route: str, body: dict[str, str]) -> None:
    experiment_id = _experiment(people.ada)
    whole = {"experiment_id": experiment_id} | body
    people.vera.call("POST", f"experiments/{route}", whole, expect=403)
    people.cleo.call("POST", f"experiments/{route}", whole, expect=404)
    people.ada.call("GET", f"experiments/{route}", whole, expect=405)
    assert _stage(people.ada, experiment_id) == "active"


def test_a_member_may_not_delete_what_another_made(people: People) -> None:
    experiment_id = _experiment(people.ada)
    people.ben.call("POST", "experiments/delete", {"experiment_id": experiment_id}, expect=403)
    people.max.call("POST", "experiments/delete", {"experiment_id": experiment_id})


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("update", {"new_name": ""}),
        ("update", {"new_name": "x" * 501}),
        ("update", {"experiment_id": "abc", "new_name": "x"}),
        ("set-experiment-tag", {"key": ""}),
        ("set-experiment-tag", {"key": "k" * 251}),
        ("set-experiment-tag", {"key": "k", "value": "v" * 20_001}),
        ("set-experiment-tag", {"key": "../k", "value": ""}),
        ("delete", {"experiment_id": ""}),
    ],
)
def test_bad_input(people: People, route: str, body: dict[str, str]) -> None:
    whole = {"experiment_id": _experiment(people.ada)} | body
    answer = people.ada.call("POST", f"experiments/{route}", whole, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


def test_the_default_keeps_its_id_under_another_name(people: People) -> None:
    experiment_id = people.ada.call("GET", "experiments/get", {"experiment_id": "0"})["experiment"]["experiment_id"]
    people.max.call("POST", "experiments/delete", {"experiment_id": "0"})
    assert _stage(people.ada, experiment_id) == "deleted"
    people.max.call("POST", "experiments/restore", {"experiment_id": "0"})
    assert _stage(people.ada, "0") == "active"
