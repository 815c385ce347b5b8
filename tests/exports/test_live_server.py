"""A live server: what was exported to it, how it is found again, and what it reads like."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from apps.experiments.models import ExperimentTag, Param, Point, Run, RunTag
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
