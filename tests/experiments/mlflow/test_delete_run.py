from __future__ import annotations

import pytest

from apps.audit.models import Event
from tests.experiments.logging import get_run, history_of, make_run, metric
from tests.personas import People


def codes() -> list[str]:
    return list(Event.objects.filter(object_kind="run").order_by("pk").values_list("code", flat=True))


def test_a_run_goes_into_the_trash_and_comes_back(people: People) -> None:
    run_id = make_run(people.ada)
    people.ada.call("POST", "runs/delete", {"run_id": run_id})
    assert get_run(people.ada, run_id)["info"]["lifecycle_stage"] == "deleted"
    people.ada.call("POST", "runs/restore", {"run_id": run_id})
    assert get_run(people.ada, run_id)["info"]["lifecycle_stage"] == "active"
    assert codes() == ["run.deleted", "run.restored"]


def test_twice_is_as_once(people: People) -> None:
    run_id = make_run(people.ada)
    people.ada.call("POST", "runs/restore", {"run_id": run_id})
    for _ in range(2):
        people.ada.call("POST", "runs/delete", {"run_id": run_id})
    assert codes() == ["run.deleted"]


@pytest.mark.parametrize("verb", ["delete", "restore"])
def test_only_its_maker_and_maintainers_may(people: People, verb: str) -> None:
    run_id = make_run(people.ada)
    people.vera.call("POST", f"runs/{verb}", {"run_id": run_id}, expect=403)
    people.ben.call("POST", f"runs/{verb}", {"run_id": run_id}, expect=403)
    people.cleo.call("POST", f"runs/{verb}", {"run_id": run_id}, expect=404)
    people.max.call("POST", f"runs/{verb}", {"run_id": run_id})
    people.root.call("POST", f"runs/{verb}", {"run_id": run_id})


def test_nothing_is_logged_into_a_deleted_run(people: People) -> None:
    run_id = make_run(people.ada)
    people.ada.call("POST", "runs/log-metric", {"run_id": run_id, **metric()})
    people.ada.call("POST", "runs/delete", {"run_id": run_id})
    before = get_run(people.ada, run_id)
    tag = {"run_id": run_id, "key": "k", "value": "v"}
    calls = {
        "log-metric": {"run_id": run_id, **metric(step=1)},
        "log-parameter": tag,
        "set-tag": tag,
        "delete-tag": {"run_id": run_id, "key": "mlflow.runName"},
        "log-batch": {"run_id": run_id, "metrics": [metric(step=1)]},
        "update": {"run_id": run_id, "status": "FINISHED"},
    }
    for route, body in calls.items():
        answer = people.ada.call("POST", f"runs/{route}", body, expect=400)
        assert answer["message"] == f"The run {run_id} must be in the 'active' state. Current state is deleted."
    assert get_run(people.ada, run_id) == before
    assert len(history_of(people.ada, run_id)["metrics"]) == 1
