"""The servers that are measured. To add one: a class that starts it on a PostgreSQL database, and a line in `PEERS`."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

import psycopg

from tests.benchmarks.http import Caller
from tests.servers import Server, mlflow_server, slipway_server

T = 1_700_000_000_000


class Peer(ABC):
    """A server under test, on a database of its own."""

    name: ClassVar[str]

    def __init__(self, home: Path, database: str) -> None:
        self.home, self.database = home, database

    @abstractmethod
    def start(self) -> AbstractContextManager[Server]:
        """The running server."""

    def fill_runs(self, caller: Caller, experiment_id: str, count: int) -> None:
        """`count` finished runs with 5 params, 5 metrics and 3 tags each; through the API unless a peer is too slow."""
        for number in range(count):
            run_id = caller.run(experiment_id)
            params = [{"key": key, "value": value} for key, value in _params(number)]
            metrics = [{"key": key, "value": value, "timestamp": T, "step": 0} for key, value in _metrics(number)]
            tags = [{"key": f"t{n}", "value": str(number % 7)} for n in range(3)]
            body = {"run_id": run_id, "params": params, "metrics": metrics, "tags": tags}
            caller.call("POST", "runs/log-batch", body)

    @abstractmethod
    def fill_versions(self, models: int, each: int) -> None:
        """Models `filled-N` with so many versions each, which have 3 tags: straight into the tables, for both."""

    def settle(self) -> None:
        """What autovacuum does within a minute of such a fill; without it the planner guesses, for any server."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("ANALYZE")


class Slipway(Peer):
    name = "Slipway"

    def start(self) -> AbstractContextManager[Server]:
        return slipway_server(self.home, database=self.database)

    def fill_versions(self, models: int, each: int) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection, connection.cursor() as cursor:
            fill_registry(cursor, models, each)


class MLflow(Peer):
    name = "mlflow server"

    def start(self) -> AbstractContextManager[Server]:
        return mlflow_server(self.home, database=self.database, workers=4)  # its default

    def fill_runs(self, caller: Caller, experiment_id: str, count: int) -> None:
        """Straight into its tables: through its API 10,000 runs take a quarter of an hour."""
        rows = [(secrets.token_hex(16), number) for number in range(count)]
        with psycopg.connect(self.database, autocommit=True) as connection, connection.cursor() as cursor:
            _copy(
                cursor,
                "runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, "
                "end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)",
                [
                    (run, f"run-{n}", "LOCAL", "", "", "ada", "FINISHED", T + n, T + n + 5, "", "active",
                     f"mlflow-artifacts:/{experiment_id}/{run}/artifacts", int(experiment_id))
                    for run, n in rows
                ],
            )  # fmt: skip
            _copy(cursor, "params (key, value, run_uuid)", [(k, v, run) for run, n in rows for k, v in _params(n)])
            _copy(
                cursor,
                "tags (key, value, run_uuid)",
                [(f"t{i}", str(n % 7), run) for run, n in rows for i in range(3)],
            )
            points = [(k, v, T, run, 0, False) for run, n in rows for k, v in _metrics(n)]
            _copy(cursor, "metrics (key, value, timestamp, run_uuid, step, is_nan)", points)
            _copy(cursor, "latest_metrics (key, value, timestamp, run_uuid, step, is_nan)", points)

    def fill_versions(self, models: int, each: int) -> None:
        rows = [
            (f"filled-{model}", number, model * each + number) for model in range(models) for number in _one_to(each)
        ]
        with psycopg.connect(self.database, autocommit=True) as connection, connection.cursor() as cursor:
            _copy(
                cursor,
                "registered_models (name, creation_time, last_updated_time, description, workspace)",
                [(f"filled-{model}", T, T, "", "default") for model in range(models)],
            )
            _copy(
                cursor,
                "model_versions (name, version, creation_time, last_updated_time, description, current_stage, source, "
                "storage_location, run_id, status, workspace)",
                [
                    (name, number, T + n, T + n, "", "None", f"runs:/{n:032x}/model", f"runs:/{n:032x}/model",
                     f"{n:032x}", "READY", "default")
                    for name, number, n in rows
                ],
            )  # fmt: skip
            tags = [(name, number, key, value, "default") for name, number, n in rows for key, value in _labels(n)]
            _copy(cursor, "model_version_tags (name, version, key, value, workspace)", tags)


PEERS: dict[str, type[Peer]] = {"slipway": Slipway, "mlflow": MLflow}


def fill_registry(cursor: psycopg.Cursor[tuple[object, ...]], models: int, each: int) -> None:
    """Models `filled-N` of the first team with so many versions each, into the tables of a Slipway server."""
    cursor.execute("SELECT min(id) FROM accounts_team")
    team = (cursor.fetchone() or (1,))[0]
    _copy(
        cursor,
        "registry_registeredmodel (team_id, name, description, is_prompt, last_number, created_ms, updated_ms)",
        [(team, f"filled-{model}", "", False, each, T, T + model) for model in range(models)],
    )
    cursor.execute("SELECT id, substr(name, 8)::int FROM registry_registeredmodel WHERE name LIKE 'filled-%'")
    rows = [
        (key, number, int(str(model)) * each + number) for key, model in cursor.fetchall() for number in _one_to(each)
    ]
    _copy(
        cursor,
        "registry_modelversion (model_id, number, source, folder, run_id, run_link, description, status, "
        "status_message, stage, created_ms, updated_ms)",
        [
            (key, number, f"runs:/{n:032x}/model", "", f"{n:032x}", "", "", "READY", "", "None", T + n, T + n)
            for key, number, n in rows
        ],
    )
    cursor.execute("SELECT v.id, v.created_ms - %s FROM registry_modelversion v WHERE v.source LIKE 'runs:/0%%'", [T])
    tags = [(key, label, value) for key, n in cursor.fetchall() for label, value in _labels(int(str(n)))]
    _copy(cursor, "registry_modelversiontag (version_id, key, value)", tags)


def _one_to(count: int) -> range:
    return range(1, count + 1)


def _labels(number: int) -> list[tuple[str, str]]:
    return [("kind", "odd" if number % 2 else "even"), ("shard", str(number % 7)), ("note", f"n{number}")]


def _params(number: int) -> list[tuple[str, str]]:
    return [("kernel", "linear" if number % 2 else "rbf"), *((f"p{n}", str(number % (n + 2))) for n in range(4))]


def _metrics(number: int) -> list[tuple[str, float]]:
    return [("acc", (number * 7919 % 10_000) / 10_000), *((f"m{n}", number / (n + 1)) for n in range(4))]


def _copy(cursor: psycopg.Cursor[tuple[object, ...]], table: str, rows: Sequence[tuple[object, ...]]) -> None:
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[arg-type,unused-ignore]
        for row in rows:
            copy.write_row(row)
