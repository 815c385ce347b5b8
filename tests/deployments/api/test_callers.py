"""Who may call a model that is served beside this server: what `slipway models serve` asks about each caller."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Level, Scope
from apps.registry.models import ModelVersion
from tests.api import call
from tests.personas import People, Persona, token_for
from tests.registry.gates.cases import make_version
from tests.registry.made import experiment_of, run_of

PATH = "me/serving/"


@pytest.fixture
def files(people: People) -> str:
    """The address of a folder of a run of Ada's."""
    return run_of(people.ada, experiment_of(people.ada))[1]


@pytest.fixture
def version(people: People) -> ModelVersion:
    """Ada's, of the team forge."""
    return make_version(people.ada, people.forge)


def with_scopes(who: Persona, *scopes: Scope) -> Persona:
    return Persona(who.user, token_for(who.user, *scopes))


@pytest.mark.parametrize("scope", [Scope.SERVE, Scope.ALL])
def test_readers_of_the_files_call(people: People, files: str, scope: Scope) -> None:
    asked = {"files": f"{files}/model"}
    assert call(with_scopes(people.vera, scope), "GET", PATH, asked) == {"username": "vera"}
    call(with_scopes(people.cleo, scope), "GET", PATH, asked, expect=404)
    assert call(with_scopes(people.root, scope), "GET", PATH, asked) == {"username": "root"}


@pytest.mark.parametrize("scope", [Scope.READ, Scope.TRACKING, Scope.REGISTRY, Scope.PROJECTS])
def test_other_scopes_do_not_call(people: People, files: str, scope: Scope) -> None:
    call(with_scopes(people.ada, scope), "GET", PATH, {"files": files}, expect=403)


def test_readers_of_the_version_call_whoever_may_read_the_run(people: People, version: ModelVersion) -> None:
    asked, cleo = {"files": version.folder}, with_scopes(people.cleo, Scope.SERVE)
    call(cleo, "GET", PATH, asked, expect=404)
    Grant.objects.create(
        kind=ObjectKind.REGISTERED_MODEL, object_id=version.model_id, user=people.cleo.user, level=Level.READ
    )
    assert call(cleo, "GET", PATH, asked) == {"username": "cleo"}


def test_in_a_bucket_readers_of_the_version_call(people: People, version: ModelVersion) -> None:
    bucket = "s3://models/7/models/m-1/artifacts"
    ModelVersion.objects.filter(pk=version.pk).update(folder=bucket)
    call(with_scopes(people.ada, Scope.SERVE), "GET", PATH, {"files": f"{bucket}/"})
    call(with_scopes(people.cleo, Scope.SERVE), "GET", PATH, {"files": bucket}, expect=404)
    call(with_scopes(people.ada, Scope.SERVE), "GET", PATH, {"files": "s3://models/8"}, expect=404)


def test_of_nobodys_files_the_scope_is_enough(people: People) -> None:
    assert call(with_scopes(people.cleo, Scope.SERVE), "GET", PATH) == {"username": "cleo"}
    call(with_scopes(people.cleo, Scope.TRACKING), "GET", PATH, expect=403)


@pytest.mark.parametrize("files", ["elsewhere", "http://host/x", "mlflow-artifacts:/../x", "mlflow-artifacts:/"])
def test_what_is_no_address_is_refused(people: People, files: str) -> None:
    call(people.ada, "GET", PATH, {"files": files}, expect=400)


def test_strangers_and_other_verbs_are_refused(people: People) -> None:
    assert Client().get(f"/api/v1/{PATH}").status_code == 401
    call(people.ada, "POST", PATH, expect=405)
