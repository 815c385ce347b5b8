from __future__ import annotations

from typing import Any

import pytest

from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server

TAKEN = (400, "a taken name is RESOURCE_ALREADY_EXISTS here too, not BAD_REQUEST")


def create_and_read(call: Transcript) -> None:
    experiment_id = call.experiment("first-of-all")
    call("GET", "experiments/get", {"experiment_id": experiment_id})
    call("GET", "experiments/get-by-name", {"experiment_name": "first-of-all"})
    call("GET", "experiments/get-by-name", {"experiment_name": "nowhere to be found"})
    call("POST", "experiments/create", {"name": "first-of-all"}, words=False)
    call("POST", "experiments/create", {"name": ""})
    call("POST", "experiments/create", {})
    call("POST", "experiments/create", {"name": "x" * 501})
    call("POST", "experiments/create", {"name": 12}, words=False)
    call("GET", "experiments/get", {})
    call("GET", "experiments/get", {"experiment_id": "987654321"})
    call("GET", "experiments/get", {"experiment_id": "abc"}, words=False)


def rename(call: Transcript) -> None:
    experiment_id, other = call.experiment("rename-me"), call.experiment("taken")
    call("POST", "experiments/update", {"experiment_id": experiment_id, "new_name": "renamed"})
    call("GET", "experiments/get", {"experiment_id": experiment_id})
    call("POST", "experiments/update", {"experiment_id": other, "new_name": "renamed"}, ours=TAKEN)
    call("POST", "experiments/update", {"experiment_id": other})
    call("POST", "experiments/update", {"new_name": "no id"})
    call("POST", "experiments/update", {"experiment_id": "987654321", "new_name": "nothing"})


def tags(call: Transcript) -> None:
    body = {"name": "tagged", "tags": [{"key": "a", "value": "1"}, {"key": "mlflow.note.content", "value": "**note**"}]}
    experiment_id = call("POST", "experiments/create", body)["experiment_id"]
    call("POST", "experiments/set-experiment-tag", {"experiment_id": experiment_id, "key": "b", "value": "2"})
    call("POST", "experiments/set-experiment-tag", {"experiment_id": experiment_id, "key": "b", "value": "3"})
    call("POST", "experiments/set-experiment-tag", {"experiment_id": experiment_id, "key": "", "value": "3"})
    call("POST", "experiments/set-experiment-tag", {"experiment_id": experiment_id, "value": "3"})
    call("POST", "experiments/set-experiment-tag", {"experiment_id": experiment_id, "key": "k" * 251, "value": "3"})
    long = {"experiment_id": experiment_id, "key": "long", "value": "v" * 20_001}
    call("POST", "experiments/set-experiment-tag", long, words=False)
    call("GET", "experiments/get", {"experiment_id": experiment_id})
    call("POST", "experiments/delete-experiment-tag", {"experiment_id": experiment_id, "key": "a"})
    call("POST", "experiments/delete-experiment-tag", {"experiment_id": experiment_id, "key": "a"}, words=False)
    call("GET", "experiments/get", {"experiment_id": experiment_id})


def delete_and_restore(call: Transcript) -> None:
    experiment_id = call.experiment("to the trash")
    run_id = call.run(experiment_id, run_name="inside")
    call("POST", "experiments/delete", {"experiment_id": experiment_id})
    call("GET", "experiments/get", {"experiment_id": experiment_id})
    call("GET", "runs/get", {"run_id": run_id})
    call("POST", "runs/create", {"experiment_id": experiment_id, "start_time": 1}, words=False)
    call("POST", "experiments/delete", {"experiment_id": experiment_id}, words=False)
    call("POST", "experiments/update", {"experiment_id": experiment_id, "new_name": "x"}, words=False)
    key = {"experiment_id": experiment_id, "key": "a", "value": "b"}
    call("POST", "experiments/set-experiment-tag", key, words=False)
    call("POST", "experiments/create", {"name": "to the trash"}, words=False)
    call("POST", "experiments/restore", {"experiment_id": experiment_id})
    call("GET", "experiments/get", {"experiment_id": experiment_id})
    call("GET", "runs/get", {"run_id": run_id})
    call("POST", "experiments/restore", {"experiment_id": experiment_id}, words=False)
    call("POST", "experiments/delete", {})
    call("POST", "experiments/delete", {"experiment_id": "987654321"}, words=False)


def search(call: Transcript) -> None:
    for number in range(6):
        made = {"name": f"Searched-{number}", "tags": [{"key": "parity", "value": "odd" if number % 2 else "even"}]}
        experiment_id = call("POST", "experiments/create", made)["experiment_id"]
    call("POST", "experiments/delete", {"experiment_id": experiment_id})
    where = "name LIKE 'Searched%'"
    for filter_string in (
        where,
        "name = 'Searched-3'",
        "name != 'Searched-3' AND name LIKE 'Searched-%'",
        "name ILIKE 'sEARCHED-_'",
        "name LIKE 'sEARCHED-_'",
        f"{where} AND tags.parity = 'odd'",
        f"{where} AND tags.parity != 'odd'",
        f"{where} AND tag.`parity` LIKE 'e%'",
        f"{where} AND tags.missing = 'x'",
        f"{where} and creation_time > 0",
        f"{where} AND last_update_time < 100",
        f"attribute.{where}",
    ):
        call("POST", "experiments/search", {"max_results": 50, "filter": filter_string, "order_by": ["name ASC"]})
    for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL"):
        body: dict[str, Any] = {"max_results": 50, "filter": where, "view_type": view, "order_by": ["name DESC"]}
        call("POST", "experiments/search", body)
        call("GET", "experiments/search", body)
    for bad in (
        "nome = 'x'",
        "name = 5",
        "name > 'x'",
        "name",
        "name = 'x",
        "tags.a > 'x'",
        "creation_time = 'x'",
        "==",
    ):
        call("POST", "experiments/search", {"max_results": 50, "filter": bad}, words=False)
    for order in (["name"], ["creation_time DESC", "name"], ["nome"], ["name UP"], ["experiment_id ASC"]):
        call("POST", "experiments/search", {"max_results": 3, "filter": where, "order_by": order}, words=False)
    for results in (0, -1, 50_001, "abc"):
        call("POST", "experiments/search", {"max_results": results, "filter": where}, words=False)


def pages(call: Transcript) -> None:
    for number in range(5):
        call.experiment(f"paged-{number}")
    body = {"max_results": 2, "filter": "name LIKE 'paged-%'", "order_by": ["name"]}
    for _ in range(3):
        answer = call("POST", "experiments/search", body)
        body = {**body, "page_token": answer.get("next_page_token", "")}
    call("POST", "experiments/search", {**body, "page_token": "junk"}, words=False)


SCENARIOS = [create_and_read, rename, tags, delete_and_restore, search, pages]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_answers_as_the_peer(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)
