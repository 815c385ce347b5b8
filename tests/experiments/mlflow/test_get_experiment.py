from __future__ import annotations

from tests.personas import People


def test_it_works(people: People) -> None:
    experiment_id = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    found = people.ben.call("GET", "experiments/get", {"experiment_id": experiment_id})["experiment"]
    assert (found["name"], found["artifact_location"]) == ("iris", f"mlflow-artifacts:/{experiment_id}")


def test_zero_is_the_default_of_the_callers_team(people: People) -> None:
    for_ada = people.ada.call("GET", "experiments/get", {"experiment_id": "0"})["experiment"]
    for_cleo = people.cleo.call("GET", "experiments/get", {"experiment_id": "0"})["experiment"]
    assert for_ada["name"] == for_cleo["name"] == "Default"
    assert for_ada["experiment_id"] != for_cleo["experiment_id"]


def test_another_team_does_not_see_it(people: People) -> None:
    experiment_id = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    answer = people.cleo.call("GET", "experiments/get", {"experiment_id": experiment_id}, expect=404)
    assert answer["error_code"] == "RESOURCE_DOES_NOT_EXIST"
