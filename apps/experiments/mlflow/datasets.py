from __future__ import annotations

from typing import Any

import msgspec
import orjson

from apps.core.actor import Actor, Level, Scope
from apps.core.errors import InvalidInput
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, RunRequest, missing_value
from apps.experiments import access, actions
from apps.experiments.mlflow.shapes import Tag, pairs
from apps.experiments.models import DatasetInput

MAX_EXPERIMENTS = 20
MAX_SUMMARIES = 1000

_MODEL_FIELDS = ("run_id", "artifact_path", "utc_time_created", "model_uuid")
_MODEL_REQUIRED = ("artifact_path", "flavors", "utc_time_created", "run_id")


class DatasetShape(msgspec.Struct):
    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


class InputShape(msgspec.Struct):
    dataset: DatasetShape = msgspec.field(default_factory=DatasetShape)
    tags: list[Tag] = []


class ModelShape(msgspec.Struct):
    model_id: str = ""
    step: Int64 = 0


class LogInputs(RunRequest):
    datasets: list[InputShape] = []
    models: list[ModelShape] = []


class LogOutputs(RunRequest):
    models: list[ModelShape] | None = None


class LogModel(RunRequest):
    required = ("run_id", "model_json")
    model_json: str = ""


class SearchDatasets(Request):
    experiment_ids: list[str] = []


@endpoint(Scope.TRACKING, by_runs=True)
def log_inputs(actor: Actor, request: LogInputs) -> Any:
    actions.log_inputs(
        actor,
        run=access.get_run(actor, request.run_id, Level.EDIT),
        datasets=[_used(shape) for shape in request.datasets],
        model_ids=[model.model_id for model in request.models],
    )
    return {}


@endpoint(Scope.TRACKING, by_runs=True)
def log_outputs(actor: Actor, request: LogOutputs) -> Any:
    if request.models is None:
        raise missing_value("models")
    run = access.get_run(actor, request.run_id, Level.EDIT)
    actions.log_outputs(actor, run=run, steps={model.model_id: model.step for model in request.models})
    return {}


@endpoint(Scope.TRACKING, by_runs=True)
def log_model(actor: Actor, request: LogModel) -> Any:
    model = _read_model(request.model_json)
    actions.record_model(actor, run=access.get_run(actor, request.run_id, Level.EDIT), model=model)
    return {}


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def search_datasets(actor: Actor, request: SearchDatasets) -> Any:
    if not request.experiment_ids:
        raise InvalidInput("SearchDatasets request must specify at least one experiment_id.")
    if len(request.experiment_ids) > MAX_EXPERIMENTS:
        raise InvalidInput(
            f"SearchDatasets request cannot specify more than {MAX_EXPERIMENTS} experiment_ids. "
            f"Received {len(request.experiment_ids)} experiment_ids."
        )
    keys = access.visible_experiment_keys(actor, request.experiment_ids)
    columns = ("dataset__experiment_id", "dataset__name", "dataset__digest", "context")
    found = DatasetInput.objects.filter(dataset__experiment__in=keys).order_by(*columns).values_list(*columns)
    summaries = [_summary(*row) for row in found.distinct()[:MAX_SUMMARIES]]
    return {"dataset_summaries": summaries} if summaries else {}


def _used(shape: InputShape) -> actions.UsedDataset:
    return actions.UsedDataset(**msgspec.structs.asdict(shape.dataset), tags=pairs(shape.tags))


def _summary(experiment_id: int, name: str, digest: str, context: str) -> dict[str, str]:
    summary = {"experiment_id": str(experiment_id), "name": name, "digest": digest}
    return summary | ({"context": context} if context else {})


def _read_model(text: str) -> dict[str, Any]:
    """What the run's history keeps of an MLmodel file."""
    try:
        model = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"Malformed model info. \n {text[:500]} \n is not a valid JSON.") from error
    if not isinstance(model, dict):
        raise InvalidInput("Malformed model info: a JSON object is wanted.")
    missing = [name for name in _MODEL_REQUIRED if name not in model]
    if missing:
        raise InvalidInput(f"Model json is missing mandatory fields: {missing}")
    if not isinstance(model["flavors"], dict):
        raise InvalidInput("Malformed model info: 'flavors' has to be an object.")
    kept = {name: model.get(name) for name in _MODEL_FIELDS}
    return kept | {"flavors": {name: _without_config(flavor) for name, flavor in model["flavors"].items()}}


def _without_config(flavor: Any) -> Any:
    return {key: value for key, value in flavor.items() if key != "config"} if isinstance(flavor, dict) else flavor


ROUTES = [
    Route("POST", "2.0/mlflow/runs/log-inputs", log_inputs),
    Route("POST", "2.0/mlflow/runs/outputs", log_outputs),
    Route("POST", "2.0/mlflow/runs/log-model", log_model),
    Route("POST", "2.0/mlflow/experiments/search-datasets", search_datasets),
    # The path that the protocol's own server has, where a slash went missing; its pages call it so.
    Route("POST", "2.0mlflow/experiments/search-datasets", search_datasets),
]
