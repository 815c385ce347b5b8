"""A live server: what was exported to it, how it is found again, and what it reads like."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.experiments.models import Experiment, ExperimentTag, LoggedModel, LoggedModelTag, Param, Point, Run, RunTag
from apps.exports.server import calls
from apps.registry.models import ModelVersion, RegisteredModel
from tests.exports.exporting import export, fails, forget_all
from tests.imports.stores_of import needs_client, unpack
from tests.imports.test_command import run as import_store
from tests.personas import People, make_people
from tests.servers import Server, mlflow_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.client, pytest.mark.xdist_group("exports live")]


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Server]:
    needs_client()
    home = tmp_path / "theirs"
    home.mkdir()
    with mlflow_server(home) as server:
        server.env = {**server.env, "STORE": str(home / "mlflow.db")}
        yield server


@pytest.fixture
def filled(tmp_path: Path, transactional_db: None) -> People:
    people = make_people()
    import_store(unpack("mlflow-3.17-sqlite", tmp_path / "there") / "mlflow.db")
    return people


def test_a_team_goes_to_a_server_and_comes_back(theirs: Server, filled: People, monkeypatch: Any) -> None:
    breaks_after(monkeypatch, 60)
    code, line, _ = fails(theirs.url)
    assert (code, line) == (130, "Stopped. The same command goes on.")
    monkeypatch.undo()
    before = held()
    told = export(theirs.url, "--checksums")
    assert "All of it is there: nothing differs." in told
    assert "have new ids there" in told
    counted = rows(theirs)
    again = export(theirs.url)
    assert "Written: nothing." in again
    assert rows(theirs) == counted
    forget_all()
    assert "All of it is here: nothing differs." in import_store(theirs.url, "--checksums")
    assert held() == before
    model = RegisteredModel.objects.get(name="echo")
    assert list(model.versions.order_by("number").values_list("number", "stage")) == [
        (1, "Archived"),
        (3, "Production"),
    ]
    assert model.aliases.get().version.number == 1
    assert not model.versions.filter(folder="").exists()
    children = RunTag.objects.filter(key="mlflow.parentRunId").values_list("value", flat=True)
    assert Run.objects.filter(run_id__in=children).count() == 2


def test_what_others_have_there_is_left_alone(theirs: Server, filled: People) -> None:
    with closing(sqlite3.connect(theirs.env["STORE"])) as connection, connection:
        connection.execute(
            "INSERT INTO experiments (name, artifact_location, lifecycle_stage, workspace) "
            "VALUES ('iris', 'mlflow-artifacts:/7', 'active', 'default')"
        )
    code, line, _ = fails(theirs.url)
    assert code == 2
    assert "has an experiment 'iris' that is not of an export" in line
    assert rows(theirs)["runs"] == 0


def test_versions_that_others_registered_there_stay(theirs: Server, filled: People) -> None:
    export(theirs.url)
    assert (
        ask(theirs, "model-versions/create", name="echo", source="s3://theirs/model")["model_version"]["version"] == "4"
    )
    ask(theirs, "registered-models/alias", name="echo", alias="mine", version="4")
    assert "nothing differs" in export(theirs.url)
    add_version(4)
    code, _, said = fails(theirs.url)
    assert code == 1
    assert "version 4 of the model 'echo': its number was given to another there" in said
    assert versions_there(theirs) == {1: "", 3: "", 4: "s3://theirs/model"}
    add_version(5)
    fails(theirs.url)
    assert versions_there(theirs).keys() == {1, 3, 4, 5}


def test_numbers_of_deleted_versions(theirs: Server, filled: People) -> None:
    ModelVersion.objects.filter(model__name="echo", number=3).delete()
    for _ in range(2):
        told = export(theirs.url)
        assert "The numbers 2 to 3 of the model 'echo' were those of deleted versions" in told
    assert rows(theirs)["model_versions"] == 1
    # Somebody made a version there and deleted it: the server tells of none, and gives its number to nobody else.
    ask(theirs, "model-versions/create", name="echo", source="s3://theirs/model")
    ask(theirs, "model-versions/delete", "DELETE", name="echo", version="2")
    add_version(2)
    for _ in range(2):
        code, _, said = fails(theirs.url)
        assert code == 1
        assert "version 2 of the model 'echo': its number was given to another there" in said
    assert rows(theirs)["model_versions"] == 3
    add_version(6)
    fails(theirs.url)
    assert versions_there(theirs).keys() == {1, 6}


def test_a_logged_model_that_broke_off_is_mended(theirs: Server, filled: People, monkeypatch: Any) -> None:
    original = calls.Calls.call

    def breaks(self: calls.Calls, method: str, route: str, /, **values: Any) -> dict[str, Any]:
        if method == "PATCH":
            raise KeyboardInterrupt
        return original(self, method, route, **values)

    monkeypatch.setattr(calls.Calls, "call", breaks)
    assert fails(theirs.url)[0] == 130
    monkeypatch.undo()
    model = LoggedModel.objects.get()
    assert "nothing differs" in export(theirs.url)
    (there,) = logged_models(theirs)
    assert there["status"] == model.status == "LOGGED_MODEL_READY"
    ask(theirs, f"logged-models/{there['model_id']}", "PATCH", model_id=there["model_id"], status=3)
    LoggedModelTag.objects.create(model=model, key="late", value="yes")
    # An experiment that got another name here, whose name another one has by now.
    iris = Experiment.objects.get(name="iris")
    Experiment.objects.filter(pk=iris.pk).update(name="flowers")
    Experiment.objects.create(team=iris.team, name="iris", created_ms=1, updated_ms=1)
    assert "nothing differs" in export(theirs.url)
    assert logged_models(theirs)[0]["status"] == "LOGGED_MODEL_READY"
    # What a server does not take back.
    LoggedModel.objects.update(status="LOGGED_MODEL_PENDING")
    assert f"differs: logged model {model.model_id}: its status differs" in fails(theirs.url)[2]
    assert rows(theirs)["logged_models"] == 1
    assert {"flowers", "iris"} <= {each["name"] for each in experiments_there(theirs)}


def logged_models(server: Server) -> list[dict[str, Any]]:
    found = ask(
        server, "logged-models/search", experiment_ids=[each["experiment_id"] for each in experiments_there(server)]
    )
    return [each["info"] for each in found["models"]]


def experiments_there(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(server, "experiments/search", max_results=100)["experiments"]
    return found


def ask(server: Server, route: str, method: str = "POST", **values: Any) -> dict[str, Any]:
    """What somebody else does at the server."""
    answer = requests.request(method, f"{server.url}/api/2.0/mlflow/{route}", json=values, timeout=60)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def versions_there(server: Server) -> dict[int, str]:
    """The numbers of the model `echo`, with the source of those that are no export's."""
    asked = {"filter": "name='echo'"}
    answer = requests.get(f"{server.url}/api/2.0/mlflow/model-versions/search", params=asked, timeout=60)
    found = answer.json()["model_versions"]
    return {int(each["version"]): "" if each.get("tags") else each["source"] for each in found}


def add_version(number: int) -> None:
    """Another version of the model `echo` here, like its first."""
    version = ModelVersion.objects.get(model__name="echo", number=1)
    version.pk, version.number, version.stage = None, number, "None"
    version.save(force_insert=True)
    RegisteredModel.objects.filter(name="echo").update(last_number=max(number, version.model.last_number))


def held() -> list[Any]:
    """All that was logged, by the names of runs: their ids are of each place its own."""
    ours = ("mlflow.parentRunId", "mlflow.log-model.history")
    name = "run__experiment__name", "run__name"
    return [
        sorted(Run.objects.values_list("experiment__name", "name", "status", "start_ms", "end_ms", "user_name")),
        sorted(Point.objects.values_list("series__run__name", "series__key", "step", "timestamp", "value", "is_nan")),
        sorted(Param.objects.values_list(*name, "key", "value")),
        sorted(
            RunTag.objects.exclude(key__startswith="slipway.").exclude(key__in=ours).values_list(*name, "key", "value")
        ),
        sorted(
            ExperimentTag.objects.exclude(key__startswith="slipway.").values_list("experiment__name", "key", "value")
        ),
        sorted(ModelVersion.objects.values_list("model__name", "number", "stage", "description")),
    ]


def rows(server: Server) -> dict[str, int]:
    """What the server's database holds."""
    with closing(sqlite3.connect(server.env["STORE"])) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("experiments", "runs", "metrics", "tags", "params", "logged_models", "model_versions")
        }


def breaks_after(monkeypatch: Any, most: int) -> None:
    """Whoever exports interrupts it at a call."""
    seen: list[int] = []
    original = calls.Calls.call

    def breaks(self: calls.Calls, method: str, route: str, /, **values: Any) -> dict[str, Any]:
        seen.append(1)
        if len(seen) > most:
            raise KeyboardInterrupt
        return original(self, method, route, **values)

    monkeypatch.setattr(calls.Calls, "call", breaks)
