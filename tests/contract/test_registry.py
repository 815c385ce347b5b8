"""Models and versions: the same calls to MLflow's own server and to ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.registered import logged_model, model, run_of, version
from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server

DEDUCED = "the run or model that a source names need not be named twice"


def life_of_a_model(call: Transcript) -> None:
    tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}, {"key": "a", "value": "3"}]
    name = model(call, "life", tags=tags, description="words")
    call("GET", "registered-models/get", {"name": name})
    call("POST", "registered-models/create", {"name": name})
    call("PATCH", "registered-models/update", {"name": name, "description": "other words"})
    call("PATCH", "registered-models/update", {"name": name})
    call("POST", "registered-models/set-tag", {"name": name, "key": "c", "value": "4"})
    call("POST", "registered-models/set-tag", {"name": name, "key": "c", "value": "5"})
    call("DELETE", "registered-models/delete-tag", {"name": name, "key": "a"})
    call("DELETE", "registered-models/delete-tag", {"name": name, "key": "a"})
    call("GET", "registered-models/get", {"name": name})
    model(call, "taken")
    call("POST", "registered-models/rename", {"name": name, "new_name": "taken"}, words=False)
    call("POST", "registered-models/rename", {"name": name, "new_name": "life renamed"})
    call("GET", "registered-models/get", {"name": name})
    call("DELETE", "registered-models/delete", {"name": "life renamed"})
    call("DELETE", "registered-models/delete", {"name": "life renamed"})
    call("GET", "registered-models/get", {"name": "life renamed"})


def bad_models(call: Transcript) -> None:
    for name in ("a/b", "a:b", "", " ", None, ".."):
        call("POST", "registered-models/create", {"name": name}, words=name != "..")
    call("POST", "registered-models/create", {"name": "a" * 300}, ours=(400, "on SQLite they forget the limit"))
    call("POST", "registered-models/create", {})
    call("POST", "registered-models/create", {"name": "bad", "tags": [{"key": "", "value": "x"}]}, words=False)
    call("POST", "registered-models/create", {"name": "bad", "tags": [{"key": "a//b", "value": "x"}]}, words=False)
    call("GET", "registered-models/get", {})
    model(call, "bad")
    call("POST", "registered-models/rename", {"name": "bad", "new_name": "a/b"})
    call("POST", "registered-models/rename", {"name": "bad", "new_name": ""})
    call("POST", "registered-models/rename", {"name": "absent", "new_name": "b"})
    call("PATCH", "registered-models/update", {"name": "absent", "description": "x"})
    call("POST", "registered-models/set-tag", {"name": "absent", "key": "k", "value": "v"})
    call("POST", "registered-models/set-tag", {"name": "bad", "key": "k" * 251, "value": "v"}, words=False)
    call("POST", "registered-models/set-tag", {"name": "bad", "key": "k", "value": "v" * 100_001}, words=False)
    call("DELETE", "registered-models/delete-tag", {"name": "absent", "key": "k"})
    call("POST", "registered-models/get-latest-versions", {"name": "absent"})


def life_of_versions(call: Transcript) -> None:
    run_id, files = run_of(call, "versions")
    name = model(call, "versions")
    for number in range(1, 4):
        version(
            call,
            name,
            f"{files}/model",
            run_id=run_id,
            run_link=f"https://example.org/{number}",
            description=f"version {number}",
            tags=[{"key": "number", "value": str(number)}],
        )
    first = {"name": name, "version": "1"}
    call("GET", "model-versions/get", first)
    call("GET", "model-versions/get-download-uri", first)
    call("PATCH", "model-versions/update", {**first, "description": "better"})
    call("PATCH", "model-versions/update", first)
    call("POST", "model-versions/set-tag", {**first, "key": "k", "value": "v"})
    call("POST", "model-versions/set-tag", {**first, "key": "k", "value": ""}, words=False)
    call("GET", "model-versions/get", first)
    call("DELETE", "model-versions/delete-tag", {**first, "key": "k"})
    call("DELETE", "model-versions/delete-tag", {**first, "key": "k"})
    call("GET", "registered-models/get", {"name": name})
    call("DELETE", "model-versions/delete", {"name": name, "version": "3"})
    call("DELETE", "model-versions/delete", {"name": name, "version": "3"})
    call("GET", "model-versions/get", {"name": name, "version": "3"})
    version(call, name, f"{files}/model", run_id=run_id)
    call("POST", "registered-models/rename", {"name": name, "new_name": "versions renamed"})
    call("GET", "model-versions/get", {"name": "versions renamed", "version": "2"})
    call("DELETE", "registered-models/delete", {"name": "versions renamed"})
    call("GET", "model-versions/get", {"name": "versions renamed", "version": "1"})


def bad_versions(call: Transcript) -> None:
    name = model(call, "bad versions")
    run_id, files = run_of(call, "bad versions")
    other_run, other_files = run_of(call, "bad versions, other")
    bad_sources = (
        *("/etc/passwd", "//proc/self/root", "file:///etc/passwd", "FILE:///etc/passwd", "relative/path", "C:\\models"),
        *("mlflow-artifacts:/", "mlflow-artifacts:/..", f"{files}/../x", f"{files}/%2e%2e/x", f"runs:/{run_id}/../x"),
        *(f"models:/{name}/1/../2", "models:/", "models:/absent/1", other_files, f"{other_files}/model"),
        *(f"runs:/{other_run}/model", "runs://host/x/y", "models://host/x/1", "dummy-source"),
        "mlflow-artifacts:/9/" + "0" * 32 + "/artifacts/x",
    )
    for source in bad_sources:
        call("POST", "model-versions/create", {"name": name, "source": source, "run_id": run_id}, words=False)
    body = {"name": name, "source": "dbfs:/x", "run_id": run_id}
    call("POST", "model-versions/create", body, ours=(400, "no files of this server"))
    call("POST", "model-versions/create", {"name": name})
    call("POST", "model-versions/create", {"source": f"runs:/{run_id}/model"})
    call("POST", "model-versions/create", {"name": "absent", "source": f"{files}/m", "run_id": run_id})
    call("POST", "model-versions/create", {"name": name, "source": f"{files}/m"}, ours=(200, DEDUCED))
    for number in ("x", "1.5", "", "99", "-1", "99999999999999999999"):
        call("GET", "model-versions/get", {"name": name, "version": number}, words=False)
    for route in ("get", "get-download-uri"):
        call("GET", f"model-versions/{route}", {"name": name, "version": "7"})
    call("PATCH", "model-versions/update", {"name": name, "version": "7", "description": "x"})
    call("POST", "model-versions/set-tag", {"name": name, "version": "7", "key": "k", "value": "v"})
    call("POST", "model-versions/set-tag", {"name": name, "version": "1", "value": "v"})
    call("DELETE", "model-versions/delete-tag", {"name": name, "version": "7", "key": "k"})
    call("DELETE", "model-versions/delete", {"name": name, "version": "7"})


def sources(call: Transcript) -> None:
    name = model(call, "sources")
    run_id, files = run_of(call, "sources of a run")
    model_id, model_run, model_files = logged_model(call, "sources of a model")
    version(call, name, f"{files}/model", run_id=run_id)
    version(call, name, files, run_id=run_id)
    version(call, name, f"runs:/{run_id}/model", run_id=run_id)
    version(call, name, f"models:/{model_id}", model_id=model_id)
    version(call, name, f"models:/{model_id}", model_id=model_id, run_id=run_id)
    version(call, name, f"{model_files}/part", model_id=model_id)
    version(call, name, f"models:/{name}/1")
    version(call, name, f"models:/{name}/latest")
    call("POST", "model-versions/create", {"name": name, "source": f"models:/{name}/1", "run_id": model_run})
    call("POST", "model-versions/create", {"name": name, "source": f"models:/{model_id}", "model_id": "m-" + "0" * 32})
    for number in (1, 2, 4, 5, 6, 7, 8):
        call("GET", "model-versions/get-download-uri", {"name": name, "version": str(number)})
    resolved = "readers of a version may not read the run that runs:/ would have them ask"
    call("GET", "model-versions/get-download-uri", {"name": name, "version": "3"}, ours=(200, resolved))


def aliases(call: Transcript) -> None:
    run_id, files = run_of(call, "aliases")
    name = model(call, "aliased")
    for _ in range(3):
        version(call, name, f"{files}/m", run_id=run_id)
    for alias, number in (("champion", "1"), ("challenger", "2"), ("champion", "3"), ("other-1_x", "3")):
        call("POST", "registered-models/alias", {"name": name, "alias": alias, "version": number})
    for alias in ("champion", "challenger", "latest", "Latest", "absent", "Champion"):
        call("GET", "registered-models/alias", {"name": name, "alias": alias})
    call("GET", "registered-models/alias", {"name": "absent", "alias": "champion"})
    call("GET", "registered-models/get", {"name": name})
    call("GET", "model-versions/get", {"name": name, "version": "3"})
    call("POST", "registered-models/get-latest-versions", {"name": name})
    call("DELETE", "registered-models/alias", {"name": name, "alias": "champion"})
    call("DELETE", "registered-models/alias", {"name": name, "alias": "champion"})
    call("DELETE", "model-versions/delete", {"name": name, "version": "2"})
    call("GET", "registered-models/alias", {"name": name, "alias": "challenger"})
    call("GET", "registered-models/get", {"name": name})
    for alias in ("latest", "LATEST", "v1", "V22", "a b", "a/b", "", "x" * 256):
        words = alias not in ("", "x" * 256)
        call("POST", "registered-models/alias", {"name": name, "alias": alias, "version": "1"}, words=words)
    call("POST", "registered-models/alias", {"name": name, "alias": "fine", "version": "9"})
    call("POST", "registered-models/alias", {"name": name, "alias": "fine", "version": "x"}, words=False)
    call("POST", "registered-models/alias", {"name": "absent", "alias": "fine", "version": "1"}, words=False)
    call("DELETE", "registered-models/alias", {"name": "absent", "alias": "fine"})


def stages(call: Transcript) -> None:
    run_id, files = run_of(call, "stages")
    name = model(call, "staged")
    for _ in range(4):
        version(call, name, f"{files}/m", run_id=run_id)

    def move(number: str, stage: str, archive: bool | None = False, **more: Any) -> None:
        body = {"name": name, "version": number, "stage": stage, "archive_existing_versions": archive}
        call("POST", "model-versions/transition-stage", body, **more)

    move("1", "Production")
    move("1", "production")
    move("2", "Staging")
    move("2", "PRODUCTION", archive=True)
    move("3", "Production")
    move("4", "Archived")
    for number in ("1", "2", "3", "4"):
        call("GET", "model-versions/get", {"name": name, "version": number})
    call("GET", "registered-models/get", {"name": name})
    for wanted in ([], ["Production"], ["production", "None"], ["Archived"], ["Staging"]):
        call("POST", "registered-models/get-latest-versions", {"name": name, "stages": wanted})
        call("GET", "registered-models/get-latest-versions", {"name": name, "stages": wanted})
    move("4", "None")
    move("4", "Nonsense")
    move("4", "")
    move("4", "Archived", archive=True, words=False)
    move("9", "Production")
    move("x", "Production", words=False)
    call("POST", "registered-models/get-latest-versions", {"name": name, "stages": ["Nonsense"]})
    call("POST", "model-versions/transition-stage", {"name": "absent", "version": "1", "stage": "Staging"}, words=False)


SCENARIOS = [
    life_of_a_model,
    bad_models,
    life_of_versions,
    bad_versions,
    sources,
    aliases,
    stages,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_answers_as_the_peer(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)
