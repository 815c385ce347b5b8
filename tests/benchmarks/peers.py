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

    def settle(self) -> None:
        """What autovacuum does within a minute of such a fill; without it the planner guesses, for any server."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("ANALYZE")


class Slipway(Peer):
    name = "Slipway"

    def start(self) -> AbstractContextManager[Server]:
        return slipway_server(self.home, database=self.database)


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


PEERS: dict[str, type[Peer]] = {"slipway": Slipway, "mlflow": MLflow}


def _params(number: int) -> list[tuple[str, str]]:
    return [("kernel", "linear" if number % 2 else "rbf"), *((f"p{n}", str(number % (n + 2))) for n in range(4))]


def _metrics(number: int) -> list[tuple[str, float]]:
    return [("acc", (number * 7919 % 10_000) / 10_000), *((f"m{n}", number / (n + 1)) for n in range(4))]


def _copy(cursor: psycopg.Cursor[tuple[object, ...]], table: str, rows: Sequence[tuple[object, ...]]) -> None:
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[arg-type,unused-ignore]
        for row in rows:
            copy.write_row(row)
