"""The tracking tables of MLflow 2.x and 3.x, which differ by columns that came later."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

from apps.experiments.actions import ModelValue, Value
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun, Piece
from apps.experiments.models import LoggedModelStatus, RunStatus
from apps.experiments.selectors.sums import REST, SeriesKey, Sums, sums_of
from apps.imports.sources.base import BrokenSource, Counts, FoundLoggedModel
from apps.imports.sources.cells import number_of, text_of
from apps.imports.sources.databases import Database
from apps.imports.sources.sql_inputs import Inputs, read_inputs
from apps.imports.sources.sql_registry import count_registry, read_models
from apps.imports.sources.statuses import MODEL_STATUS
from apps.registry.foreign import ForeignModel

_PIECE = 20_000
# Values within are stored as they are.
_USUAL = 1e308
_DEFAULT_WORKSPACE = "default"
_NEEDED = {
    "experiments": {"experiment_id", "name", "lifecycle_stage", "creation_time", "last_update_time"},
    "runs": {"run_uuid", "name", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri", "user_id"},
    "metrics": {"run_uuid", "key", "value", "timestamp", "step", "is_nan"},
    "params": {"run_uuid", "key", "value"},
    "tags": {"run_uuid", "key", "value"},
    "experiment_tags": {"experiment_id", "key", "value"},
}


class SQLSource:
    """A store in SQLite or PostgreSQL; of several workspaces in it, one."""

    def __init__(self, database: Database, workspace: str = "") -> None:
        self.problems: list[str] = []
        self._database = database
        self._check_tables()
        self.workspace = self._workspace(workspace) if "workspace" in self._columns("experiments") else ""
        self.label = database.label + (f"#{self.workspace}" if self.workspace not in ("", _DEFAULT_WORKSPACE) else "")

    def counts(self) -> Counts:
        ours = f"experiment_id IN (SELECT experiment_id FROM experiments WHERE workspace = {self._mark})"
        here = ours if self.workspace else "1 = 1"
        of_runs = f"run_uuid IN (SELECT run_uuid FROM runs WHERE {here})" if self.workspace else "1 = 1"
        kinds = {
            "experiments": self._count("experiments", here),
            "runs": self._count("runs", here),
            "metric points": self._count("metrics", of_runs),
            "params": self._count("params", of_runs),
            "tags": self._count("tags", of_runs),
            "datasets": self._count("datasets", here),
            "logged models": self._count("logged_models", here),
        }
        kinds |= count_registry(self._database, self.workspace)
        left = {"traces": self._count("trace_info", here)}
        return Counts(kinds, {kind: count for kind, count in left.items() if count})

    def experiments(self) -> Sequence[ForeignExperiment]:
        tags: dict[str, dict[str, str]] = {}
        for old_id, key, value in self._rows("SELECT experiment_id, key, value FROM experiment_tags"):
            tags.setdefault(str(old_id), {})[text_of(key)] = text_of(value)
        sql = "SELECT experiment_id, name, lifecycle_stage, creation_time, last_update_time FROM experiments "
        where, values = (f"WHERE workspace = {self._mark} ", [self.workspace]) if self.workspace else ("", [])
        return [
            ForeignExperiment(
                old_id=str(old_id),
                name=text_of(name),
                created_ms=created or updated or 0,
                updated_ms=updated or created or 0,
                is_deleted=stage == "deleted",
                tags=tags.get(str(old_id), {}),
            )
            for old_id, name, stage, created, updated in self._rows(f"{sql}{where}ORDER BY experiment_id", values)
        ]

    def run_ids(self, old_id: str) -> Sequence[tuple[str, int]]:
        # How many points, so that a chunk is neither tiny nor huge. The index on run_uuid answers it.
        sql = (
            "SELECT r.run_uuid, (SELECT count(*) FROM metrics m WHERE m.run_uuid = r.run_uuid) FROM runs r "
            f"WHERE r.experiment_id = {self._mark} ORDER BY r.start_time, r.run_uuid"
        )
        return list(self._rows(sql, [int(old_id)]))

    def runs(self, run_ids: Collection[str]) -> Sequence[ForeignRun]:
        params, tags = self._pairs("params", run_ids), self._pairs("tags", run_ids)
        inputs = read_inputs(self._database, self._columns, run_ids)
        of_models = self._model_values(run_ids)
        sql = (
            "SELECT run_uuid, name, status, start_time, end_time, user_id, lifecycle_stage FROM runs "
            f"WHERE run_uuid {self._among} ORDER BY start_time, run_uuid"
        )
        found = []
        for run_id, *cells in self._rows(sql, [self._listed(run_ids)]):
            try:
                used = inputs.get(run_id, Inputs())
                of_run = of_models.get(run_id, [])
                found.append(_run(run_id, cells, params.get(run_id, {}), tags.get(run_id, {}), used, of_run))
            except (ValueError, TypeError) as error:
                self.problems.append(f"run {text_of(run_id)[:36]}: {error}")
        return found

    def run_folders(self, old_id: str) -> Sequence[tuple[str, str]]:
        sql = f"SELECT run_uuid, artifact_uri FROM runs WHERE experiment_id = {self._mark} ORDER BY run_uuid"
        return [(run_id, text_of(uri)) for run_id, uri in self._rows(sql, [int(old_id)])]

    def locations(self) -> Sequence[tuple[str, str]]:
        sql = (
            "SELECT e.artifact_location, e.experiment_id FROM experiments e WHERE e.experiment_id IN "
            f"(SELECT experiment_id FROM runs) {f'AND e.workspace = {self._mark} ' if self.workspace else ''}ORDER BY 2"
        )
        values = [self.workspace] if self.workspace else []
        return [(text_of(location), str(old_id)) for location, old_id in self._rows(sql, values)]

    def pieces(self, run_ids: Collection[str], keys: Collection[SeriesKey] | None = None) -> Iterator[Piece]:
        sql = (
            "SELECT run_uuid, key, step, timestamp, value, is_nan FROM metrics "
            f"WHERE run_uuid {self._among} ORDER BY run_uuid, key"
        )
        wanted = None if keys is None else set(keys)
        rows = self._rows(sql, [self._listed(run_ids if wanted is None else {run_id for run_id, _ in wanted})])
        for (run_id, key), points in groupby(rows, lambda row: row[:2]):
            if wanted is not None and (run_id, text_of(key)) not in wanted:
                continue
            block: list[tuple[int, int, float, bool]] = []
            for _, _, step, timestamp, value, is_nan in points:
                if not is_nan and type(value) is float and -_USUAL < value < _USUAL:
                    block.append((step, timestamp, value, False))
                elif odd := self._odd(run_id, key, step, timestamp, value, is_nan):
                    block.append(odd)
                if len(block) >= _PIECE:
                    yield Piece(run_id, text_of(key), block)
                    block = []
            if block:
                yield Piece(run_id, text_of(key), block)

    def sums(self, run_ids: Collection[str]) -> Mapping[SeriesKey, Sums]:
        sql = (
            "SELECT run_uuid, key, count(*), sum(CASE WHEN is_nan THEN 1 ELSE 0 END), sum(step), "
            f"sum(timestamp % {REST}), min(CASE WHEN is_nan THEN NULL ELSE value END), "
            "max(CASE WHEN is_nan THEN NULL ELSE value END) FROM metrics "
            f"WHERE run_uuid {self._among} GROUP BY run_uuid, key"
        )
        if self._mark == "%s":
            sql = sql.replace(f" % {REST}", f" %% {REST}")
        found: dict[SeriesKey, Sums] = {}
        for run_id, key, count, nans, steps, times, least, most in self._rows(sql, [self._listed(run_ids)]):
            series = (run_id, text_of(key))
            try:
                found[series] = Sums(count, int(nans), int(steps), int(times), _extreme(least), _extreme(most))
            except (TypeError, ValueError):
                # SQLite keeps a text in a column of numbers: what can be read of the series is counted one by one.
                points = [point for piece in self.pieces([run_id], [series]) for point in piece.points]
                found |= {series: sums_of(points)} if points else {}
        return found

    def logged_models(self, old_id: str) -> Sequence[FoundLoggedModel]:
        if not self._columns("logged_models"):
            return []
        params = self._model_pairs("logged_model_params", "param_key", "param_value", old_id)
        tags = self._model_pairs("logged_model_tags", "tag_key", "tag_value", old_id)
        sql = (
            "SELECT model_id, name, status, status_message, model_type, source_run_id, creation_timestamp_ms, "
            "last_updated_timestamp_ms, lifecycle_stage, artifact_location FROM logged_models "
            f"WHERE experiment_id = {self._mark} ORDER BY creation_timestamp_ms, model_id"
        )
        return [
            FoundLoggedModel(
                ForeignLoggedModel(
                    model_id=model_id,
                    name=text_of(name),
                    status=MODEL_STATUS.get(status, LoggedModelStatus.UNSPECIFIED),
                    status_message=text_of(message),
                    model_type=text_of(kind),
                    source_run_id=text_of(run_id),
                    created_ms=created,
                    updated_ms=updated,
                    is_deleted=stage == "deleted",
                    params=params.get(model_id, {}),
                    tags=tags.get(model_id, {}),
                ),
                text_of(location),
            )
            for model_id, name, status, message, kind, run_id, created, updated, stage, location in self._rows(
                sql, [int(old_id)]
            )
        ]

    def registered_models(self) -> Sequence[ForeignModel]:
        return read_models(self._database, self.workspace)

    def close(self) -> None:
        self._database.close()

    def _odd(self, run_id: str, key: str, step: Any, timestamp: Any, value: Any, is_nan: Any) -> Any:
        try:
            return (int(step), int(timestamp), *((0.0, True) if is_nan else number_of(value)))
        except (TypeError, ValueError):
            self.problems.append(f"run {run_id}: the metric '{text_of(key)}' has a value that is no number; left out")
            return None

    def _model_values(self, run_ids: Collection[str]) -> dict[str, list[ModelValue]]:
        found: dict[str, list[ModelValue]] = {}
        if not self._columns("logged_model_metrics"):
            return found
        sql = (
            "SELECT run_id, model_id, metric_name, metric_step, metric_timestamp_ms, metric_value, dataset_name, "
            f"dataset_digest FROM logged_model_metrics WHERE run_id {self._among}"
        )
        for run_id, model_id, key, step, timestamp, value, name, digest in self._rows(sql, [self._listed(run_ids)]):
            number = (0.0, True) if value is None else number_of(value)
            of_model = ModelValue(
                model_id, Value(text_of(key, 250), step, timestamp, *number), text_of(name), text_of(digest)
            )
            found.setdefault(run_id, []).append(of_model)
        return found

    def _pairs(self, table: str, run_ids: Collection[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        sql = f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid {self._among}"
        for run_id, key, value in self._rows(sql, [self._listed(run_ids)]):
            found.setdefault(run_id, {})[text_of(key)] = text_of(value)
        return found

    def _model_pairs(self, table: str, key: str, value: str, old_id: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        sql = f"SELECT model_id, {key}, {value} FROM {table} WHERE experiment_id = {self._mark}"
        for model_id, name, text in self._rows(sql, [int(old_id)]):
            found.setdefault(model_id, {})[text_of(name, 250)] = text_of(text)
        return found

    def _check_tables(self) -> None:
        missing = {table: names - self._columns(table) for table, names in _NEEDED.items()}
        if not self._columns("experiments"):
            raise BrokenSource(f"{self._database.label} is no store of MLflow: it has no table 'experiments'.")
        if lacks := [f"{table}.{min(names)}" for table, names in missing.items() if names]:
            raise BrokenSource(
                f"{self._database.label} is of an MLflow before 2.0 ({lacks[0]} is missing). Copy it, and bring the "
                "copy up to date with `mlflow db upgrade`."
            )

    def _workspace(self, asked: str) -> str:
        there = sorted(text_of(row[0]) for row in self._rows("SELECT DISTINCT workspace FROM experiments"))
        if asked:
            if asked not in there:
                raise BrokenSource(f"There is no workspace '{asked}' in {self._database.label}: {', '.join(there)}.")
            return asked
        if len(there) > 1:
            listed = ", ".join(there)
            raise BrokenSource(f"{self._database.label} has several workspaces; choose with --workspace: {listed}.")
        return there[0] if there else _DEFAULT_WORKSPACE

    def _count(self, table: str, where: str) -> int:
        if not self._columns(table):
            return 0
        values = [self.workspace] if self.workspace else []
        return int(next(self._rows(f"SELECT count(*) FROM {table} WHERE {where}", values))[0])

    def _columns(self, table: str) -> set[str]:
        if table not in self._known:
            self._known[table] = self._database.columns(table)
        return self._known[table]

    @cached_property
    def _known(self) -> dict[str, set[str]]:
        return {}

    @property
    def _rows(self) -> Callable[..., Iterator[tuple[Any, ...]]]:
        return self._database.rows

    @property
    def _listed(self) -> Callable[[Collection[str]], Any]:
        return self._database.listed

    @property
    def _among(self) -> str:
        return self._database.among

    @property
    def _mark(self) -> str:
        return self._database.mark


def _extreme(value: Any) -> float | None:
    return None if value is None else number_of(value)[0]


def _run(
    run_id: str,
    cells: Sequence[Any],
    params: Mapping[str, str],
    tags: Mapping[str, str],
    used: Inputs,
    of_models: Sequence[ModelValue],
) -> ForeignRun:
    name, status, start, end, user, stage = cells
    return ForeignRun(
        run_id=run_id,
        name=text_of(name) or tags.get("mlflow.runName", ""),
        status=RunStatus(status),
        start_ms=start,
        end_ms=end,
        user_name=text_of(user),
        is_deleted=stage == "deleted",
        params=params,
        tags=tags,
        datasets=used.datasets,
        inputs=used.models,
        outputs=used.made,
        of_models=of_models,
    )
