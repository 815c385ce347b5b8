from __future__ import annotations

import pytest

from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Level
from apps.experiments.models import Dataset, DatasetInput, LoggedModel, ModelLink, Run
from apps.experiments.rendering import render_runs
from tests.experiments.logging import get_run, make_experiment, make_run, metric
from tests.personas import People


def test_a_fresh_run_leaves_empty_lists_out(people: People) -> None:
    run = get_run(people.ada, make_run(people.ada, run_name="n"))
    assert run["data"] == {"tags": [{"key": "mlflow.runName", "value": "n"}]}
    assert (run["inputs"], run["outputs"]) == ({}, {})


def test_everything_of_a_run_is_shown(people: People) -> None:
    run_id = make_run(people.ada, run_name='quotes " and \\ and ü')
    batch = {
        "run_id": run_id,
        "metrics": [metric(value="NaN"), metric("acc", 0.1, 7, -3), metric("big", "Infinity")],
        "params": [{"key": "p", "value": 'a "b"\n'}, {"key": "empty", "value": ""}],
        "tags": [{"key": "t", "value": "\t"}],
    }
    people.ada.call("POST", "runs/log-batch", batch)
    run = Run.objects.get(run_id=run_id)
    dataset = Dataset.objects.create(
        experiment=run.experiment, name="d", digest="x", source_type="local", source="{}", schema="s"
    )
    DatasetInput.objects.create(run=run, dataset=dataset, tags=[["mlflow.data.context", "train"], ["b", 'q"']])
    model = LoggedModel.objects.create(model_id="m-1", experiment=run.experiment, name="m", created_ms=1, updated_ms=1)
    ModelLink.objects.create(run=run, model=model, direction="input")
    ModelLink.objects.create(run=run, model=model, direction="output", step=3)

    shown = get_run(people.vera, run_id)
    assert {m["key"]: m for m in shown["data"]["metrics"]} == {
        "loss": metric(value="NaN"),
        "acc": metric("acc", 0.1, 7, -3),
        "big": metric("big", 1.7976931348623157e308),
    }
    assert sorted(shown["data"]["params"], key=lambda p: p["key"]) == [
        {"key": "empty", "value": ""},
        {"key": "p", "value": 'a "b"\n'},
    ]
    assert {"key": "t", "value": "\t"} in shown["data"]["tags"]
    assert shown["info"]["run_name"] == 'quotes " and \\ and ü'
    assert shown["inputs"] == {
        "dataset_inputs": [
            {
                "tags": [{"key": "mlflow.data.context", "value": "train"}, {"key": "b", "value": 'q"'}],
                "dataset": {"name": "d", "digest": "x", "source_type": "local", "source": "{}", "schema": "s"},
            }
        ],
        "model_inputs": [{"model_id": "m-1"}],
    }
    assert shown["outputs"] == {"model_outputs": [{"model_id": "m-1", "step": 3}]}


def test_run_uuid_is_taken_too(people: People) -> None:
    run_id = make_run(people.ada)
    assert people.ada.call("GET", "runs/get", {"run_uuid": run_id})["run"]["info"]["run_id"] == run_id


def test_an_outsider_finds_nothing_until_the_experiment_is_shared(people: People) -> None:
    experiment_id = make_experiment(people.ada)
    run_id = make_run(people.ada, experiment_id)
    answer = people.cleo.call("GET", "runs/get", {"run_id": run_id}, expect=404)
    assert answer == {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"Run with id={run_id} not found"}
    Grant.objects.create(
        kind=ObjectKind.EXPERIMENT, object_id=int(experiment_id), user=people.cleo.user, level=Level.READ
    )
    assert get_run(people.cleo, run_id)["info"]["run_id"] == run_id


@pytest.mark.parametrize("run_id", ["nope", "a/b", "x" * 5000, "' OR 1=1 --"])
def test_an_unknown_run_is_not_found(people: People, run_id: str) -> None:
    assert people.root.call("GET", "runs/get", {"run_id": run_id}, expect=404)


def test_the_run_has_to_be_named(people: People) -> None:
    answer = people.ada.call("GET", "runs/get", expect=400)
    assert answer["message"].startswith("Missing value for required parameter 'run_id'.")


def test_many_runs_are_rendered_in_the_order_asked_for(people: People) -> None:
    ids = [make_run(people.ada, run_name=f"r{index}") for index in range(4)]
    keys = dict(Run.objects.values_list("run_id", "pk"))
    wanted = [keys[ids[2]], keys[ids[0]], keys[ids[3]]]
    rendered = [part.decode() for part in render_runs(wanted)]
    assert [next(n for n in range(4) if f'"run_name":"r{n}"' in part) for part in rendered] == [2, 0, 3]
    assert render_runs([]) == []
