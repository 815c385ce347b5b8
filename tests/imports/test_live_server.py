"""A server of MLflow that runs: what comes over from it is what comes over from its database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from apps.experiments.models import Experiment, LoggedModel, Run
from apps.registry.models import RegisteredModel
from tests.imports.stores_of import WRITTEN_AT, needs_client, unpack
from tests.imports.test_command import run, state
from tests.personas import People, make_people
from tests.servers import Server, mlflow_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.client, pytest.mark.xdist_group("imports live")]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    needs_client()
    home = unpack("mlflow-3.17-sqlite", tmp_path_factory.mktemp("theirs"))
    with closing(sqlite3.connect(home / "mlflow.db")) as connection, connection:
        places = [
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
        ]
        for table, column in places:
            sql = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"  # noqa: S608
            connection.execute(sql, [WRITTEN_AT, str(home)])
    with mlflow_server(home) as server:
        server.env = {**server.env, "HOME_OF_STORE": str(home)}
        yield server


@pytest.fixture
def people(transactional_db: None) -> People:
    return make_people()


def test_it_comes_over_as_its_database_does(theirs: Server, people: People) -> None:
    told = run(theirs.url, "--checksums")
    assert "All of it is here: nothing differs." in told
    assert "23 files" in told
    by_calls = state()
    assert "Brought over: nothing." in run(theirs.url)
    assert state() == by_calls
    RegisteredModel.objects.all().delete()
    LoggedModel.objects.all().delete()
    Run.objects.all().delete()
    Experiment.objects.exclude(name="Default").delete()
    run(Path(theirs.env["HOME_OF_STORE"]) / "mlflow.db")
    # Folders carry the ids of experiments, which are new.
    assert [*state()[:6], *state()[7:]] == [*by_calls[:6], *by_calls[7:]]
