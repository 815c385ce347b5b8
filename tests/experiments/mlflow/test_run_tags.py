from __future__ import annotations

from typing import Any

import pytest

from apps.experiments.models import Run
from tests.experiments.logging import get_run, make_run
from tests.personas import People, Persona


def set_tag(who: Persona, run_id: str, key: Any = "t", value: Any = "1", expect: int = 200) -> Any:
    return who.call("POST", "runs/set-tag", {"run_id": run_id, "key": key, "value": value}, expect=expect)


def delete_tag(who: Persona, run_id: str, key: Any = "t", expect: int = 200) -> Any:
    return who.call("POST", "runs/delete-tag", {"run_id": run_id, "key": key}, expect=expect)


def tags_of(who: Persona, run_id: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in get_run(who, run_id)["data"].get("tags", [])}


def test_a_tag_is_overwritten_and_removed(people: People) -> None:
    run_id = make_run(people.ada, run_name="n")
    set_tag(people.ada, run_id, value="1")
    set_tag(people.ben, run_id, value="2")
    assert tags_of(people.ada, run_id) == {"mlflow.runName": "n", "t": "2"}
    delete_tag(people.ben, run_id)
    assert tags_of(people.ada, run_id) == {"mlflow.runName": "n"}
    answer = delete_tag(people.ada, run_id, expect=404)
    assert answer["message"] == f"No tag with name: t in run with id {run_id}"


def test_the_name_tag_renames_the_run(people: People) -> None:
    run_id = make_run(people.ada, run_name="old")
    set_tag(people.ada, run_id, "mlflow.runName", "new")
    assert get_run(people.ada, run_id)["info"]["run_name"] == tags_of(people.ada, run_id)["mlflow.runName"] == "new"
    set_tag(people.ada, run_id, "mlflow.runName", "")
    assert get_run(people.ada, run_id)["info"]["run_name"] == tags_of(people.ada, run_id)["mlflow.runName"] == "new"


def test_the_parent_tag_moves_the_run_in_the_tree(people: People) -> None:
    run_id = make_run(people.ada)
    set_tag(people.ada, run_id, "mlflow.parentRunId", "p1")
    assert Run.objects.get(run_id=run_id).parent_run_id == "p1"
    delete_tag(people.ada, run_id, "mlflow.parentRunId")
    assert Run.objects.get(run_id=run_id).parent_run_id == ""


def test_long_values_are_cut(people: People) -> None:
    run_id = make_run(people.ada)
    set_tag(people.ada, run_id, value="v" * 8001)
    assert tags_of(people.ada, run_id)["t"] == "v" * 8000


@pytest.mark.parametrize(
    ("key", "value"), [("", "v"), ("k" * 251, "v"), ("a#", "v"), ("../x", "v"), ("mlflow.runName", "n" * 251)]
)
def test_bad_input_sets_nothing(people: People, key: str, value: str) -> None:
    run_id = make_run(people.ada, run_name="n")
    set_tag(people.ada, run_id, key, value, expect=400)
    assert tags_of(people.ada, run_id) == {"mlflow.runName": "n"}


def test_who_may(people: People) -> None:
    run_id = make_run(people.ada, run_name="n")
    set_tag(people.vera, run_id, expect=403)
    set_tag(people.cleo, run_id, expect=404)
    delete_tag(people.vera, run_id, "mlflow.runName", expect=403)
    delete_tag(people.cleo, run_id, "mlflow.runName", expect=404)
    assert tags_of(people.ada, run_id) == {"mlflow.runName": "n"}
