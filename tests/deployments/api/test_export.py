"""Bundles by the API and by the page: who gets one, and of what."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from apps.core.actor import Scope
from apps.deployments.configuration import Config
from apps.registry.models import ModelVersion
from tests.api import call
from tests.deployments.making import make_deployment
from tests.personas import People, Persona, token_for
from tests.registry.gates.cases import make_version
from tests.registry.gates.test_files import put

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(people: People) -> ModelVersion:
    """Ada's, with files."""
    made = make_version(people.ada, people.forge)
    put(people.ada, made, "MLmodel", "flavors: {}")
    put(people.ada, made, "requirements.txt", "mlflow-skinny\nscikit-learn==1.5\n")
    put(people.ada, made, "data/model.bin", b"\x00" * 300_000)
    return made


def of_version(version: ModelVersion) -> str:
    return f"models/{version.model.team.name}/{version.model.name}/versions/{version.number}/export/"


def fetch(who: Persona, path: str, **query: str) -> tuple[Any, zipfile.ZipFile]:
    answer = who.request("GET", f"/api/v1/{path}", query)
    assert answer.status_code == 200, answer.content
    return answer, zipfile.ZipFile(io.BytesIO(b"".join(answer)))


def test_of_a_version_that_nobody_deployed(people: People, version: ModelVersion) -> None:
    answer, archive = fetch(people.vera, of_version(version), kind="kserve")
    assert answer["Content-Type"] == "application/zip"
    name = answer["Content-Disposition"].split('"')[1]
    assert name.endswith("-kserve.zip")
    top = name.removesuffix(".zip")
    assert archive.testzip() is None
    assert archive.getinfo(f"{top}/model/data/model.bin").file_size == 300_000
    assert f"{top}/kserve/inferenceservice.yaml" in archive.namelist()
    assert "scikit-learn==1.5" in archive.read(f"{top}/requirements.txt").decode()


def test_of_a_revision_as_it_is_configured(people: People, version: ModelVersion) -> None:
    config = Config(workers=3, env_vars={"API_KEY": "hush-hush"})
    make_deployment(people.ada, "flowers", version=version, config=config)
    answer, archive = fetch(people.vera, "deployments/flowers/revisions/1/export/")
    top = answer["Content-Disposition"].split('"')[1].removesuffix(".zip")
    assert top.endswith("-docker")
    assert json.loads(archive.read(f"{top}/program/config.json"))["workers"] == 3
    assert not any(b"hush-hush" in archive.read(name) for name in archive.namelist())


def test_who_gets_none(people: People, version: ModelVersion) -> None:
    make_deployment(people.ada, "flowers", version=version)
    call(people.cleo, "GET", of_version(version), expect=404)
    call(people.cleo, "GET", "deployments/flowers/revisions/1/export/", expect=404)
    call(people.ada, "GET", "deployments/flowers/revisions/9/export/", expect=404)
    call(people.ada, "POST", of_version(version), expect=405)
    serving = Persona(people.ada.user, token_for(people.ada.user, Scope.SERVE))
    call(serving, "GET", of_version(version), expect=403)


@pytest.mark.parametrize("kind", ["", "heroku", "docker\x00"])
def test_kinds_that_there_are_none_of(people: People, version: ModelVersion, kind: str) -> None:
    said = call(people.ada, "GET", of_version(version), {"kind": kind}, expect=400)
    assert "none of docker, sagemaker, azureml, kserve" in json.dumps(said)


def test_one_whose_version_is_gone_says_so(people: People, version: ModelVersion) -> None:
    deployment = make_deployment(people.ada, "flowers", version=version)
    assert deployment.wanted is not None
    type(deployment.wanted).objects.filter(pk=deployment.wanted.pk).update(version=None)
    said = call(people.ada, "GET", "deployments/flowers/revisions/1/export/", expect=409)
    assert "was deleted" in said["message"]


def test_files_that_are_no_model(people: People) -> None:
    made = make_version(people.ada, people.forge)
    put(people.ada, made, "notes.txt", "nothing")
    assert "no MLmodel" in call(people.ada, "GET", of_version(made), expect=400)["message"]


def test_the_page_leads_to_the_bundle(people: People, version: ModelVersion) -> None:
    browser = people.vera.browser()
    page = browser.get("/deployments/export/", {"model": version.model_id})
    assert page.status_code == 200
    text = page.content.decode()
    for place in ("Docker", "SageMaker", "Azure", "KServe"):
        assert place in text
    assert f'value="{version.pk}" selected' in text
    found = browser.get("/deployments/export/bundle/", {"version": str(version.pk), "kind": "sagemaker"})
    assert found["Content-Disposition"].endswith('-sagemaker.zip"')
    assert zipfile.ZipFile(io.BytesIO(b"".join(found))).testzip() is None
    assert people.cleo.browser().get("/deployments/export/", {"model": version.model_id}).status_code == 404
    gone = people.cleo.browser().get("/deployments/export/bundle/", {"version": str(version.pk), "kind": "docker"})
    assert gone.status_code == 404
    assert browser.get("/deployments/export/").status_code == 302
