"""Searches of models and versions: the same calls to MLflow's own server and to ours."""

from __future__ import annotations

import pytest

from tests.contract.registered import model, run_of, version
from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server


def searching_models(call: Transcript) -> None:
    for number in range(5):
        tags = [{"key": "parity", "value": "odd" if number % 2 else "even"}, {"key": "n", "value": str(number)}]
        model(call, f"Search {number}", tags=tags)
    model(call, "search prompt", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    for text in (
        "name = 'Search 1'",
        "name != 'Search 1' and name LIKE 'Search %'",
        "name LIKE 'Search%'",
        "name LIKE 'search%'",
        "name ILIKE 'search%'",
        "name LIKE '%1'",
        "name IN ('Search 1', 'Search 3', 'absent')",
        "name NOT IN ('Search 1', 'Search 3') AND name LIKE 'Search%'",
        "attribute.name = 'Search 1'",
        "tags.parity = 'odd' AND name LIKE 'Search%'",
        "tag.parity != 'odd' AND name LIKE 'Search%'",
        "tags.parity = 'odd' AND tags.n = '3'",
        "tags.`n` = '2'",
        'tags."n" = "2"',
        "tags.n LIKE '%' AND name LIKE 'Search%'",
        "tags.`mlflow.prompt.is_prompt` = 'true'",
        "tags.`mlflow.prompt.is_prompt` = 'true' AND name LIKE 'Search%'",
        "tags.`mlflow.prompt.is_prompt` != 'true' AND name LIKE 'Search%'",
        "tags.`mlflow.prompt.is_prompt` = 'false' AND name LIKE 'Search%'",
    ):
        call("GET", "registered-models/search", {"filter": text, "order_by": "name"})
    mine = {"filter": "name LIKE 'Search%'"}
    for order in (
        ["name DESC"],
        ["name asc"],
        ["last_updated_timestamp DESC"],
        ["timestamp"],
        ["name", "timestamp ASC"],
    ):
        call("GET", "registered-models/search", {**mine, "order_by": order})
    for bad in ("name > 'x'", "name =", "nonsense = 'x'", "name = x", "run_id = 'x'", "name = 'a' OR name = 'b'; DROP"):
        call("GET", "registered-models/search", {"filter": bad}, words=False)
    for wrong_order in ("nonsense", "name nonsense", "name,name", "tags.x"):
        call("GET", "registered-models/search", {"order_by": wrong_order}, words=False)
    for wrong in (1001, "x"):
        call("GET", "registered-models/search", {"max_results": wrong}, words=False)
    for wrong in (0, -1):
        call("GET", "registered-models/search", {"max_results": wrong}, ours=(400, "no page has so many"))
    call("GET", "registered-models/search", {"page_token": "nonsense"}, words=False)
    page = call("GET", "registered-models/search", {**mine, "max_results": 2})
    page = call("GET", "registered-models/search", {**mine, "max_results": 2, "page_token": page["next_page_token"]})
    call("GET", "registered-models/search", {**mine, "max_results": 2, "page_token": page["next_page_token"]})


def searching_versions(call: Transcript) -> None:
    run_id, files = run_of(call, "version search")
    other_run, other_files = run_of(call, "version search, other")
    for number in range(3):
        name = model(call, f"Versioned {number}")
        for place in range(number + 1):
            tags = [{"key": "place", "value": str(place)}, {"key": "model", "value": str(number)}]
            version(call, name, f"{files}/{place}", run_id=run_id, tags=tags)
    version(call, "Versioned 0", f"{other_files}/x", run_id=other_run)
    order = ["name ASC", "version_number ASC"]
    for text in (
        "name = 'Versioned 1'",
        "name='Versioned 2'",
        "name LIKE 'Versioned%'",
        "name ILIKE 'versioned%'",
        "name IN ('Versioned 1', 'Versioned 2')",
        "name NOT IN ('Versioned 1') AND name LIKE 'Versioned%'",
        "name != 'Versioned 1' AND name LIKE 'Versioned%'",
        f"run_id = '{run_id}'",
        f"run_id IN ('{other_run}')",
        f"run_id IN ('{other_run}','{run_id}')",
        f"run_id NOT IN ('{run_id}') AND name LIKE 'Versioned%'",
        f"run_id = '{run_id}' AND name = 'Versioned 1'",
        f"source_path = '{files}/1'",
        f"source_path LIKE '{files}%'",
        "name LIKE 'Versioned%' AND version_number = 2",
        "name LIKE 'Versioned%' AND version_number > 1",
        "name LIKE 'Versioned%' AND version_number <= 2",
        "name LIKE 'Versioned%' AND version_number != 2",
        "name LIKE 'Versioned%' AND attribute.version_number = '2'",
        "tags.place = '1'",
        "tags.place != '1' AND name LIKE 'Versioned%'",
        "tags.place = '1' AND tags.model = '2'",
        "tags.`place` LIKE '%1'",
        "tags.`mlflow.prompt.is_prompt` = 'false' AND name LIKE 'Versioned%'",
    ):
        call("GET", "model-versions/search", {"filter": text, "order_by": order})
    mine = {"filter": "name LIKE 'Versioned%'"}
    for orders in (["name DESC"], ["version_number DESC", "name"], ["creation_timestamp", "version_number"]):
        call("GET", "model-versions/search", {**mine, "order_by": orders})
    bad_filters = ("name > 'x'", "version_number = 'x'", "version_number = 1.5", "nonsense = 'x'", "run_id = x",
                   "version_number LIKE '1'", "source_path IN ('x')", "status = 'READY'", "tags.x IN ('y')",
                   "run_id IN ()", "run_id IN (1)")  # fmt: skip
    for bad in bad_filters:
        call("GET", "model-versions/search", {"filter": bad}, words=False)
    for wrong in ("nonsense", "source_path", "run_id", "name sideways"):
        call("GET", "model-versions/search", {"order_by": wrong}, words=False)
    for count in (0, -1, 200_001):
        call("GET", "model-versions/search", {"max_results": count}, words=False)
    paged = {**mine, "order_by": order, "max_results": 3}
    page = call("GET", "model-versions/search", paged)
    page = call("GET", "model-versions/search", {**paged, "page_token": page["next_page_token"]})
    call("GET", "model-versions/search", {**paged, "page_token": page["next_page_token"]})


SCENARIOS = [searching_models, searching_versions]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_answers_as_the_peer(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)
