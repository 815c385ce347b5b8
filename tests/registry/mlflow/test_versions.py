from __future__ import annotations

import pytest

from tests.personas import People

pytestmark = pytest.mark.django_db


def test_a_version_of_a_run_is_registered_and_found(people: People) -> None:
    ada = people.ada
    experiment = ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    run = ada.call("POST", "runs/create", {"experiment_id": experiment})["run"]["info"]
    ada.call("POST", "registered-models/create", {"name": "iris", "tags": [{"key": "k", "value": "v"}]})
    source = f"{run['artifact_uri']}/model"
    made = ada.call("POST", "model-versions/create", {"name": "iris", "source": source, "run_id": run["run_id"]})
    assert made["model_version"]["version"] == "1"
    got = people.vera.call("GET", "model-versions/get", {"name": "iris", "version": "1"})
    assert got["model_version"] == made["model_version"]
    assert people.ben.call("GET", "model-versions/get-download-uri", {"name": "iris", "version": "1"}) == {
        "artifact_uri": source
    }
    found = people.ben.call("GET", "model-versions/search", {"filter": "name = 'iris'"})
    assert found == {"model_versions": [made["model_version"]]}
    models = people.ben.call("GET", "registered-models/search", {"filter": "name LIKE 'ir%'"})["registered_models"]
    assert [model["latest_versions"][0]["version"] for model in models] == ["1"]
    people.cleo.call("GET", "model-versions/get", {"name": "iris", "version": "1"}, expect=404)
    people.vera.call("POST", "model-versions/create", {"name": "iris", "source": source}, expect=403)
