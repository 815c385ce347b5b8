"""Logged models: make, finalize, label, search, throw away."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import Event
from tests.personas import People, Persona

MODELS = "logged-models"


def _experiment(persona: Persona) -> str:
    return str(persona.call("POST", "experiments/create", {"name": "iris"})["experiment_id"])


def _model(persona: Persona, experiment_id: str, **body: Any) -> str:
    answer = persona.call("POST", MODELS, {"experiment_id": experiment_id, "name": "svm"} | body)
    return str(answer["model"]["info"]["model_id"])


def _pairs(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _names(persona: Persona, experiment_id: str, **body: Any) -> list[str]:
    answer = persona.call("POST", f"{MODELS}/search", {"experiment_ids": [experiment_id]} | body)
    return [model["info"]["name"] for model in answer.get("models", [])]


def _metric(persona: Persona, run_id: str, model_id: str, value: float | str, **body: Any) -> None:
    metric = {"run_id": run_id, "key": "acc", "value": value, "timestamp": 5, "step": 1, "model_id": model_id}
    persona.call("POST", "runs/log-metric", metric | body)


@pytest.fixture
def shelf(people: People) -> tuple[str, dict[str, str]]:
    """An experiment with three models: `low` and `high` have metrics, `high` on a dataset."""
    experiment_id = _experiment(people.ada)
    run_id = people.ada.call("POST", "runs/create", {"experiment_id": experiment_id})["run"]["info"]["run_id"]
    models = {
        name: _model(people.ada, experiment_id, name=name, params=_pairs(c=c), tags=_pairs(kind=name))
        for name, c in [("low", "1"), ("high", "2"), ("none", "2")]
    }
    _metric(people.ada, run_id, models["low"], 0.1)
    _metric(people.ada, run_id, models["high"], 0.9, dataset_name="ds", dataset_digest="d1")
    return experiment_id, models


def test_the_shape(people: People) -> None:
    experiment_id = _experiment(people.ada)
    body = {"model_type": "sklearn", "source_run_id": "r", "params": _pairs(c="1"), "tags": _pairs(a="b")}
    model_id = _model(people.ada, experiment_id, **body)
    model = people.vera.call("GET", f"{MODELS}/{model_id}")["model"]
    times = model["info"].pop("creation_timestamp_ms"), model["info"].pop("last_updated_timestamp_ms")
    assert times[0] == times[1] > 0
    assert model == {
        "info": {
            "model_id": model_id,
            "experiment_id": experiment_id,
            "name": "svm",
            "artifact_uri": f"mlflow-artifacts:/{experiment_id}/models/{model_id}/artifacts",
            "status": "LOGGED_MODEL_PENDING",
            "model_type": "sklearn",
            "source_run_id": "r",
            "tags": _pairs(a="b"),
        },
        "data": {"params": _pairs(c="1")},
    }


def test_a_model_without_name_gets_one(people: People) -> None:
    experiment_id = _experiment(people.ada)
    _model(people.ada, experiment_id, name="")
    assert _names(people.ada, experiment_id)[0]


@pytest.mark.parametrize("status", ["LOGGED_MODEL_READY", 2])
def test_finalize(people: People, status: str | int) -> None:
    model_id = _model(people.ada, _experiment(people.ada))
    answer = people.ben.call("PATCH", f"{MODELS}/{model_id}", {"model_id": model_id, "status": status})
    assert answer["model"]["info"]["status"] == "LOGGED_MODEL_READY"


def test_tags_and_params(people: People) -> None:
    model_id = _model(people.ada, _experiment(people.ada), tags=_pairs(a="1"), params=_pairs(c="1"))
    url = f"{MODELS}/{model_id}"
    people.ben.call("PATCH", f"{url}/tags", {"tags": _pairs(a="2", b="3")})
    people.ben.call("DELETE", f"{url}/tags/b")
    people.ben.call("DELETE", f"{url}/tags/b", expect=404)
    for _ in range(2):
        people.ben.call("POST", f"{url}/params", {"params": _pairs(d="4")})
    people.ben.call("POST", f"{url}/params", {"params": _pairs(c="other", e="5")}, expect=400)
    model = people.ada.call("GET", url)["model"]
    assert (model["info"]["tags"], model["data"]["params"]) == (_pairs(a="2"), _pairs(c="1", d="4"))


def test_delete_hides_it_and_is_recorded(people: People) -> None:
    experiment_id = _experiment(people.ada)
    model_id = _model(people.ada, experiment_id)
    people.ben.call("DELETE", f"{MODELS}/{model_id}", expect=403)
    for _ in range(2):
        people.ada.call("DELETE", f"{MODELS}/{model_id}")
    people.ada.call("GET", f"{MODELS}/{model_id}", expect=404)
    assert people.ada.call("GET", f"{MODELS}/{model_id}", {"allow_deleted": "true"})
    assert _names(people.ada, experiment_id) == []
    assert Event.objects.get(code="logged_model.deleted").object_id == model_id


def test_filters(people: People, shelf: tuple[str, dict[str, str]]) -> None:
    experiment_id, models = shelf
    expected = {
        "name = 'low'": ["low"],
        "attributes.name LIKE '%o%'": ["none", "low"],
        "name ILIKE 'L%'": ["low"],
        "name IN ('low', 'high')": ["high", "low"],
        "name NOT IN ('low')": ["none", "high"],
        f"model_id = '{models['high']}'": ["high"],
        "status = 1 AND params.c = '2'": ["none", "high"],
        "params.`c` IN ('1')": ["low"],
        "tags.kind != 'low'": ["none", "high"],
        "metrics.acc > 0.5": ["high"],
        "metrics.acc > 0": ["high", "low"],
        "creation_timestamp > 5": ["none", "high", "low"],
        "artifact_location LIKE 'mlflow-artifacts:/%'": ["none", "high", "low"],
        "name = 'low' OR NOT params.c = '1' AND metrics.acc > 0": ["high", "low"],
    }
    assert {text: _names(people.vera, experiment_id, filter=text) for text in expected} == expected


def test_datasets(people: People, shelf: tuple[str, dict[str, str]]) -> None:
    experiment_id, _ = shelf
    dataset = {"dataset_name": "ds"}
    assert _names(people.ada, experiment_id, datasets=[dataset]) == ["high"]
    assert _names(people.ada, experiment_id, datasets=[dataset], filter="metrics.acc > 0.95") == []
    assert _names(people.ada, experiment_id, datasets=[dataset | {"dataset_digest": "d2"}]) == []


def test_orders_and_pages(people: People, shelf: tuple[str, dict[str, str]]) -> None:
    experiment_id, _ = shelf

    def ordered(field: str, **more: Any) -> list[str]:
        return _names(people.ada, experiment_id, order_by=[{"field_name": field} | more])

    assert ordered("name") == ["high", "low", "none"]
    assert ordered("metrics.acc") == ["low", "high", "none"]
    assert ordered("metrics.acc", ascending=False) == ["high", "low", "none"]
    assert ordered("metrics.acc", dataset_name="ds") == ["high", "none", "low"]
    assert sorted(ordered("artifact_location")) == ["high", "low", "none"]
    body = {"experiment_ids": [experiment_id], "max_results": 2, "order_by": [{"field_name": "metrics.acc"}]}
    first = people.ada.call("POST", f"{MODELS}/search", body)
    second = people.ada.call("POST", f"{MODELS}/search", body | {"page_token": first["next_page_token"]})
    assert [model["info"]["name"] for model in first["models"] + second["models"]] == ["low", "high", "none"]


def test_another_team(people: People, shelf: tuple[str, dict[str, str]]) -> None:
    experiment_id, models = shelf
    url = f"{MODELS}/{models['low']}"
    assert _names(people.cleo, experiment_id) == []
    for method, path, body in [
        ("GET", url, None),
        ("PATCH", url, {"status": 2}),
        ("DELETE", url, None),
        ("PATCH", f"{url}/tags", {"tags": _pairs(a="b")}),
        ("DELETE", f"{url}/tags/kind", None),
        ("POST", f"{url}/params", {"params": _pairs(a="b")}),
    ]:
        answer = people.cleo.call(method, path, body, expect=404)
        assert answer["message"] == f"Logged model with ID '{models['low']}' not found."
    people.cleo.call("POST", MODELS, {"experiment_id": experiment_id, "name": "x"}, expect=404)


def test_a_viewer_reads_only(people: People, shelf: tuple[str, dict[str, str]]) -> None:
    experiment_id, models = shelf
    url = f"{MODELS}/{models['low']}"
    people.vera.call("PATCH", url, {"status": 2}, expect=403)
    people.vera.call("PATCH", f"{url}/tags", {"tags": _pairs(a="b")}, expect=403)
    people.vera.call("POST", MODELS, {"experiment_id": experiment_id, "name": "x"}, expect=403)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a/b"},
        {"name": "a:b"},
        {"name": "a.b"},
        {"name": "a%b"},
        {"name": "a'b"},
        {"name": "x" * 501},
        {"name": 5},
        {"params": _pairs(**{"k" * 251: "v"})},
        {"params": [*_pairs(c="1"), *_pairs(c="2")]},
        {"experiment_id": ""},
        {"experiment_id": "abc"},
    ],
)
def test_bad_models(people: People, body: dict[str, Any]) -> None:
    whole = {"experiment_id": _experiment(people.ada), "name": "x"} | body
    assert people.ada.call("POST", MODELS, whole, expect=400)["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "body",
    [
        {"filter": "foo = 'x'"},
        {"filter": "metric.acc > 1"},
        {"filter": "metrics.acc > 'a'"},
        {"order_by": [{"field_name": "params.c"}]},
        {"order_by": [{"field_name": "experiment__team"}]},
        {"order_by": [{}]},
        {"datasets": [{"dataset_digest": "d"}]},
        {"max_results": -1},
        {"max_results": 10**9},
        {"page_token": "junk"},
    ],
)
def test_bad_searches(people: People, body: dict[str, Any]) -> None:
    whole = {"experiment_ids": ["0"]} | body
    answer = people.ada.call("POST", f"{MODELS}/search", whole, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


def test_an_experiment_in_the_trash_takes_no_models(people: People) -> None:
    experiment_id = _experiment(people.ada)
    people.ada.call("POST", "experiments/delete", {"experiment_id": experiment_id})
    people.ada.call("POST", MODELS, {"experiment_id": experiment_id, "name": "x"}, expect=400)


def test_statements_are_few(people: People, shelf: tuple[str, dict[str, str]]) -> None:
    experiment_id, _ = shelf
    with CaptureQueriesContext(connection) as captured:
        assert len(_names(people.ada, experiment_id, filter="metrics.acc > 0")) == 2
    # What the caller may see, the page, and four for the models, their tags, params and metrics.
    assert len(captured) == 6, [query["sql"] for query in captured]
