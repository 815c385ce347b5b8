"""Readers of a version read its files, whoever may read the run."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Level, Scope
from apps.registry.models import ModelVersion
from tests.personas import People, Persona, token_for
from tests.registry.gates.cases import make_version
from tests.registry.gates.test_files import put

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
FILE = "/model-versions/get-artifact"


@pytest.fixture
def version(people: People) -> ModelVersion:
    """Ada's, of the team forge; Cleo of harbour may read the model, and not the run."""
    made = make_version(people.ada, people.forge)
    put(people.ada, made, "MLmodel", "flavors: {}")
    put(people.ada, made, "data/model.bin", b"123")
    Grant.objects.create(
        kind=ObjectKind.REGISTERED_MODEL, object_id=made.model_id, user=people.cleo.user, level=Level.READ
    )
    return made


def place(version: ModelVersion) -> str:
    return version.folder.removeprefix("mlflow-artifacts:/")


def body(response: Any) -> bytes:
    return b"".join(response) if response.streaming else response.content


def test_a_reader_of_the_version_lists_and_fetches_its_files(people: People, version: ModelVersion) -> None:
    listed = people.cleo.request("GET", ARTIFACTS, {"path": place(version)})
    assert [file["path"] for file in listed.json()["files"]] == ["MLmodel", "data"]
    fetched = people.cleo.request("GET", f"{ARTIFACTS}/{place(version)}/data/model.bin")
    assert (fetched.status_code, body(fetched)) == (200, b"123")


def test_nothing_beside_or_above_is_lent(people: People, version: ModelVersion) -> None:
    root = place(version).removesuffix("/model")
    people.ada.request("PUT", f"{ARTIFACTS}/{root}/model2/file", b"x")
    people.ada.request("PUT", f"{ARTIFACTS}/{root}/notes.txt", b"x")
    for path in ("notes.txt", "model2/file"):
        assert people.cleo.request("GET", f"{ARTIFACTS}/{root}/{path}").status_code == 404, path
    for path in (root, f"{root}/model2", root.rsplit("/", 1)[0]):
        assert people.cleo.request("GET", ARTIFACTS, {"path": path}).status_code in (403, 404), path


def test_what_is_lent_is_not_written(people: People, version: ModelVersion) -> None:
    url = f"{ARTIFACTS}/{place(version)}/MLmodel"
    assert people.cleo.request("PUT", url, b"x").status_code == 404
    assert people.cleo.request("DELETE", url).status_code == 404


def test_without_the_right_on_the_model_nothing_is_lent(people: People, version: ModelVersion) -> None:
    Grant.objects.all().delete()
    assert people.cleo.request("GET", f"{ARTIFACTS}/{place(version)}/MLmodel").status_code == 404
    assert people.cleo.request("GET", FILE, _query(path="MLmodel")).status_code == 404


def _query(**more: str) -> dict[str, str]:
    return {"name": "iris", "version": "1", **more}


@pytest.mark.parametrize("prefix", ["", "/api/2.0/mlflow", "/ajax-api/2.0/mlflow"])
def test_by_name_and_number(people: People, version: ModelVersion, prefix: str) -> None:
    fetched = people.cleo.request("GET", prefix + FILE, _query(path="data/model.bin"))
    assert (fetched.status_code, body(fetched)) == (200, b"123")
    assert fetched["X-Content-Type-Options"] == "nosniff"
    assert "attachment" in fetched["Content-Disposition"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"path": "../notes.txt"}, 400),
        ({"path": "/etc/passwd"}, 400),
        ({"path": "%2e%2e/x"}, 400),
        ({"path": "data"}, 400),
        ({"path": "none"}, 404),
        ({"path": "MLmodel", "version": "2"}, 404),
        ({"path": "MLmodel", "version": "x"}, 400),
        ({"path": "MLmodel", "version": "9" * 30}, 404),
        ({"path": "MLmodel", "name": "other"}, 404),
        ({"path": "MLmodel", "name": ""}, 400),
    ],
)
def test_bad_input(people: People, version: ModelVersion, query: dict[str, str], status: int) -> None:
    assert people.cleo.request("GET", FILE, _query(**query)).status_code == status


def test_wrong_verb_and_nobody(people: People, version: ModelVersion, client: Any) -> None:
    assert people.cleo.request("POST", FILE).status_code == 405
    assert client.get(FILE, _query(path="MLmodel")).status_code == 401


def test_a_broken_version_has_no_files(people: People, version: ModelVersion) -> None:
    ModelVersion.objects.update(folder="")
    assert people.cleo.request("GET", FILE, _query(path="MLmodel")).status_code == 404


def test_a_token_for_the_registry_reads_files_of_versions_alone(people: People, version: ModelVersion) -> None:
    narrow = Persona(people.ada.user, token_for(people.ada.user, Scope.REGISTRY))
    url = f"{ARTIFACTS}/{place(version)}/MLmodel"
    assert narrow.request("GET", url).status_code == 200
    assert narrow.request("GET", FILE, _query(path="MLmodel")).status_code == 200
    assert narrow.request("PUT", url, b"x").status_code == 403
    beside = f"{ARTIFACTS}/{place(version).removesuffix('/model')}/notes.txt"
    assert narrow.request("GET", beside).status_code == 403
