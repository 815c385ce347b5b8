"""A live server, asked by the protocol's own calls. It sees one experiment at a time, and keeps the last."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from apps.core.errors import NotFound
from apps.experiments.actions import ModelValue, UsedDataset, Value
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun, Piece
from apps.experiments.models import LoggedModelStatus, RunStatus
from apps.experiments.selectors.sums import SeriesKey, Sums, sums_of
from apps.imports.places import Tree
from apps.imports.sources.base import BrokenSource, Counts, FoundLoggedModel
from apps.imports.sources.cells import number_of, text_of
from apps.imports.sources.rest_client import RestClient, tree_of_model, tree_of_run
from apps.imports.sources.rest_registry import read_models
from apps.registry.foreign import ForeignModel

_PAGE = 1_000
_HISTORY = 20_000


class RestSource:
    """What was read of a history is kept as sums, so that comparing in the end asks for none of it again."""

    def __init__(self, client: RestClient) -> None:
        self.label = client.url
        self.problems: list[str] = []
        self._client = client
        self._experiments = _experiments(client)
        self._loaded = ""
        self._runs: dict[str, dict[str, Any]] = {}
        self._models: list[dict[str, Any]] = []
        self._of_models: dict[str, list[ModelValue]] = {}
        self._sums: dict[SeriesKey, Sums] = {}

    def counts(self) -> Counts:
        kinds = dict.fromkeys(("experiments", "runs", "metrics", "params", "tags", "logged models"), 0)
        for experiment in self._experiments:
            self._load(str(experiment["experiment_id"]))
            kinds["experiments"] += 1
            kinds["runs"] += len(self._runs)
            kinds["logged models"] += len(self._models)
            for run in self._runs.values():
                for kind in ("metrics", "params", "tags"):
                    kinds[kind] += len(run.get("data", {}).get(kind) or ())
        models = self.registered_models()
        kinds["registered models"] = len(models)
        kinds["model versions"] = sum(len(model.versions) for model in models)
        return Counts(kinds)

    def experiments(self) -> Sequence[ForeignExperiment]:
        return [
            ForeignExperiment(
                old_id=str(each["experiment_id"]),
                name=text_of(each["name"]),
                created_ms=int(each.get("creation_time") or 0),
                updated_ms=int(each.get("last_update_time") or each.get("creation_time") or 0),
                is_deleted=each.get("lifecycle_stage") == "deleted",
                tags=_pairs(each.get("tags")),
            )
            for each in self._experiments
        ]

    def run_ids(self, old_id: str) -> Sequence[tuple[str, int]]:
        self._load(old_id)
        # How long histories are is not known before they are read.
        return [(run_id, 1_000 * len(run.get("data", {}).get("metrics") or ())) for run_id, run in self._runs.items()]

    def runs(self, run_ids: Collection[str]) -> Sequence[ForeignRun]:
        found = []
        for run_id in run_ids:
            try:
                found.append(_run(self._runs[run_id], self._of_models.get(run_id, [])))
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                self.problems.append(
                    f"run {run_id[:50]}: the server's answer is broken ({type(error).__name__}: {error})"
                )
        return found

    def run_folders(self, old_id: str) -> Sequence[tuple[str, str]]:
        self._load(old_id)
        return [(run_id, "") for run_id in self._runs]

    def locations(self) -> Sequence[tuple[str, str]]:
        return []

    def pieces(self, run_ids: Collection[str], keys: Collection[SeriesKey] | None = None) -> Iterator[Piece]:
        wanted = None if keys is None else set(keys)
        for run_id in run_ids:
            for metric in self._runs[run_id].get("data", {}).get("metrics") or ():
                series = (run_id, text_of(metric["key"]))
                if wanted is None or series in wanted:
                    points = self._history(run_id, metric["key"])
                    self._sums[series] = sums_of(points)
                    yield Piece(*series, points)

    def sums(self, run_ids: Collection[str]) -> Mapping[SeriesKey, Sums]:
        found = {}
        for run_id in run_ids:
            for metric in self._runs[run_id].get("data", {}).get("metrics") or ():
                series = (run_id, text_of(metric["key"]))
                if series not in self._sums:
                    self._sums[series] = sums_of(self._history(run_id, metric["key"]))
                found[series] = self._sums[series]
        return found

    def logged_models(self, old_id: str) -> Sequence[FoundLoggedModel]:
        self._load(old_id)
        return [FoundLoggedModel(_logged_model(each), "") for each in self._models]

    def registered_models(self) -> Sequence[ForeignModel]:
        return read_models(self._client)

    def of_run(self, run_id: str, uri: str) -> Tree:
        """The files of a run: the server is the way to them too."""
        return tree_of_run(self._client, run_id)

    def of_model(self, model_id: str, uri: str) -> Tree:
        """The files of a logged model."""
        return tree_of_model(self._client, model_id)

    def close(self) -> None:
        """Connections end with the process."""

    def _load(self, old_id: str) -> None:
        if self._loaded == old_id:
            return
        asked = {"experiment_ids": [old_id], "max_results": _PAGE, "run_view_type": "ALL"}
        order = ["attributes.start_time ASC"]
        found = self._client.pages("POST", "runs/search", "runs", **asked, order_by=order)
        self._runs = {str(run["info"]["run_id"]): run for run in found}
        try:
            models = self._client.pages(
                "POST", "logged-models/search", "models", experiment_ids=[old_id], max_results=50
            )
            self._models = list(models)
        except NotFound:
            # Before 3.0 there are none.
            self._models = []
        self._of_models = _values_of_models(self._models)
        self._loaded = old_id

    def _history(self, run_id: str, key: str) -> list[tuple[int, int, float, bool]]:
        found = self._client.pages(
            "GET", "metrics/get-history", "metrics", run_id=run_id, metric_key=key, max_results=_HISTORY
        )
        points = ((int(p.get("step") or 0), int(p["timestamp"]), *number_of(p["value"])) for p in found)
        return list(dict.fromkeys(points))


def _experiments(client: RestClient) -> list[dict[str, Any]]:
    asked = {"view_type": "ALL", "max_results": _PAGE}
    try:
        return list(client.pages("POST", "experiments/search", "experiments", **asked))
    except NotFound as error:
        raise BrokenSource(f"{client.url} is no tracking server of MLflow 2.x or 3.x.") from error


def _run(answer: dict[str, Any], of_models: Sequence[ModelValue]) -> ForeignRun:
    info, data = answer["info"], answer.get("data") or {}
    inputs, outputs = answer.get("inputs") or {}, answer.get("outputs") or {}
    tags = _pairs(data.get("tags"))
    return ForeignRun(
        run_id=info["run_id"],
        name=text_of(info.get("run_name") or tags.get("mlflow.runName"), 250),
        status=RunStatus(info["status"]),
        start_ms=_whole(info.get("start_time")),
        end_ms=_whole(info.get("end_time")),
        user_name=text_of(info.get("user_id"), 256),
        is_deleted=info.get("lifecycle_stage") == "deleted",
        params=_pairs(data.get("params")),
        tags=tags,
        datasets=[_dataset(each) for each in inputs.get("dataset_inputs") or ()],
        inputs={each["model_id"]: 0 for each in inputs.get("model_inputs") or ()},
        outputs={each["model_id"]: int(each.get("step") or 0) for each in outputs.get("model_outputs") or ()},
        of_models=of_models,
    )


def _dataset(used: dict[str, Any]) -> UsedDataset:
    dataset = used["dataset"]
    schema, profile = dataset.get("schema"), dataset.get("profile")
    return UsedDataset(
        name=text_of(dataset["name"], 500),
        digest=text_of(dataset["digest"], 36),
        source_type=text_of(dataset.get("source_type"), 36),
        source=text_of(dataset.get("source")),
        schema=None if schema is None else text_of(schema),
        profile=None if profile is None else text_of(profile),
        tags=list(_pairs(used.get("tags")).items()),
    )


def _logged_model(answer: dict[str, Any]) -> ForeignLoggedModel:
    info, data = answer["info"], answer.get("data") or {}
    known = info.get("status") in LoggedModelStatus.values
    return ForeignLoggedModel(
        model_id=info["model_id"],
        name=text_of(info["name"], 500),
        status=LoggedModelStatus(info["status"]) if known else LoggedModelStatus.UNSPECIFIED,
        status_message=text_of(info.get("status_message"), 1000),
        model_type=text_of(info.get("model_type"), 500),
        source_run_id=text_of(info.get("source_run_id"), 36),
        created_ms=int(info["creation_timestamp_ms"]),
        updated_ms=int(info["last_updated_timestamp_ms"]),
        is_deleted=False,
        params=_pairs(data.get("params")),
        tags=_pairs(info.get("tags")),
    )


def _values_of_models(models: Sequence[dict[str, Any]]) -> dict[str, list[ModelValue]]:
    found: dict[str, list[ModelValue]] = {}
    for model in models:
        for each in (model.get("data") or {}).get("metrics") or ():
            value = Value(
                text_of(each["key"], 250), int(each.get("step") or 0), int(each["timestamp"]), *number_of(each["value"])
            )
            name, digest = text_of(each.get("dataset_name")), text_of(each.get("dataset_digest"))
            found.setdefault(each["run_id"], []).append(ModelValue(model["info"]["model_id"], value, name, digest))
    return found


def _pairs(listed: Any) -> dict[str, str]:
    return {text_of(each["key"]): text_of(each.get("value")) for each in listed or ()}


def _whole(value: Any) -> int | None:
    return None if value in (None, "") else int(value)
