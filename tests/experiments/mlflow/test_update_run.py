from __future__ import annotations

import pytest

from tests.experiments.logging import get_run, make_run
from tests.personas import People


def test_status_end_and_name(people: People) -> None:
    run_id = make_run(people.ada)
    body = {"run_id": run_id, "status": "FINISHED", "end_time": 9, "run_name": "new"}
    info = people.ben.call("POST", "runs/update", body)["run_info"]
    assert (info["status"], info["end_time"], info["run_name"]) == ("FINISHED", 9, "new")
    run = get_run(people.ada, run_id)
    assert run["info"] == info
    assert run["data"]["tags"] == [{"key": "mlflow.runName", "value": "new"}]


def test_what_is_not_given_stays(people: People) -> None:
    run_id = make_run(people.ada, run_name="kept")
    people.ada.call("POST", "runs/update", {"run_id": run_id, "status": 4})
    info = people.ada.call("POST", "runs/update", {"run_id": run_id, "run_name": ""})["run_info"]
    assert (info["status"], info["run_name"]) == ("FAILED", "kept")
    assert "end_time" not in info


@pytest.mark.parametrize("bad", [{"status": "NOPE"}, {"status": 9}, {"end_time": "x"}, {"run_name": "n" * 251}])
def test_bad_input_changes_nothing(people: People, bad: dict[str, object]) -> None:
    run_id = make_run(people.ada)
    before = get_run(people.ada, run_id)
    assert people.ada.call("POST", "runs/update", {"run_id": run_id, **bad}, expect=400)
    assert get_run(people.ada, run_id) == before


def test_a_viewer_may_not_and_an_outsider_finds_nothing(people: People) -> None:
    run_id = make_run(people.ada)
    people.vera.call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED"}, expect=403)
    people.cleo.call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED"}, expect=404)
    assert get_run(people.ada, run_id)["info"]["status"] == "RUNNING"
