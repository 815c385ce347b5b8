from __future__ import annotations

import re

import pytest

from apps.experiments.models import Run
from tests.experiments.logging import get_run, make_experiment, make_run
from tests.personas import People


def test_it_answers_in_the_protocols_shape(people: People) -> None:
    body = {"experiment_id": make_experiment(people.ada), "run_name": "first", "user_id": "ada", "start_time": 5}
    run = people.ada.call("POST", "runs/create", {**body, "tags": [{"key": "a", "value": "b"}]})["run"]
    info = run["info"]
    assert info == {
        "run_uuid": info["run_id"],
        "run_id": info["run_id"],
        "experiment_id": body["experiment_id"],
        "run_name": "first",
        "user_id": "ada",
        "status": "RUNNING",
        "start_time": 5,
        "artifact_uri": f"mlflow-artifacts:/{body['experiment_id']}/{info['run_id']}/artifacts",
        "lifecycle_stage": "active",
    }
    assert {tag["key"]: tag["value"] for tag in run["data"]["tags"]} == {"a": "b", "mlflow.runName": "first"}
    assert get_run(people.ben, info["run_id"])["info"] == info


def test_a_run_without_a_name_gets_one_also_as_a_tag(people: People) -> None:
    run = get_run(people.ada, make_run(people.ada))
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d{1,3}", run["info"]["run_name"])
    assert run["data"]["tags"] == [{"key": "mlflow.runName", "value": run["info"]["run_name"]}]


def test_the_name_may_come_as_a_tag_but_not_two_names(people: People) -> None:
    tag = {"key": "mlflow.runName", "value": "by tag"}
    assert get_run(people.ada, make_run(people.ada, tags=[tag]))["info"]["run_name"] == "by tag"
    body = {"experiment_id": "0", "run_name": "other", "tags": [tag]}
    answer = people.ada.call("POST", "runs/create", body, expect=400)
    assert answer["message"].startswith("Both 'run_name' argument and 'mlflow.runName' tag are specified")


def test_an_empty_name_tag_is_no_name(people: People) -> None:
    run = get_run(people.ada, make_run(people.ada, tags=[{"key": "mlflow.runName", "value": ""}]))
    assert run["data"]["tags"] == [{"key": "mlflow.runName", "value": run["info"]["run_name"]}]
    assert run["info"]["run_name"]


def test_the_parent_is_kept_beside_its_tag(people: People) -> None:
    run_id = make_run(people.ada, tags=[{"key": "mlflow.parentRunId", "value": "p" * 32}])
    assert Run.objects.get(run_id=run_id).parent_run_id == "p" * 32


def test_a_viewer_may_not_and_an_outsider_sees_no_experiment(people: People) -> None:
    experiment_id = make_experiment(people.ada)
    assert people.vera.call("POST", "runs/create", {"experiment_id": experiment_id}, expect=403)
    assert people.cleo.call("POST", "runs/create", {"experiment_id": experiment_id}, expect=404)
    assert Run.objects.count() == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"start_time": "x"},
        {"start_time": 2**63},
        {"run_name": "n" * 251},
        {"run_name": 5},
        {"tags": {"a": "b"}},
        {"tags": [5]},
        {"tags": [{"value": "no key"}]},
        {"tags": [{"key": "", "value": "empty key"}]},
        {"tags": [{"key": "k" * 251}]},
        {"user_id": "u" * 257},
    ],
)
def test_bad_input_makes_no_run(people: People, bad: dict[str, object]) -> None:
    answer = people.ada.call("POST", "runs/create", {"experiment_id": "0", **bad}, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert Run.objects.count() == 0


def test_the_same_call_with_the_same_key_makes_one_run(people: People) -> None:
    def create(who: str, key: str) -> str:
        persona = getattr(people, who)
        answer = persona.call("POST", "runs/create", {"experiment_id": "0"}, idempotency_key=key)
        run_id: str = answer["run"]["info"]["run_id"]
        return run_id

    first = create("ada", "k1")
    assert create("ada", "k1") == first
    assert len({first, create("ada", "k2"), create("ben", "k1")}) == 3


def test_a_key_is_for_one_experiment_and_no_field_of_the_body(people: People) -> None:
    make_run(people.ada, idempotency_key="k")
    people.ada.call("POST", "runs/create", {"experiment_id": "0"}, idempotency_key="k")
    other = {"experiment_id": make_experiment(people.ada)}
    people.ada.call("POST", "runs/create", other, expect=400, idempotency_key="k")
    assert Run.objects.count() == 2


def test_get_is_the_wrong_verb(people: People) -> None:
    people.ada.call("GET", "runs/create", expect=405)
