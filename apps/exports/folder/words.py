"""What MLflow's file store writes into its `meta.yaml`, by kind of folder."""

from __future__ import annotations

import hashlib
from typing import Any

from apps.experiments.actions import UsedDataset
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun
from apps.imports.sources.statuses import MODEL_STATUS, RUN_STATUS
from apps.registry.foreign import ForeignModel, ForeignVersion

_RUN_NUMBER = {status: number for number, status in RUN_STATUS.items()}
_MODEL_NUMBER = {status: number for number, status in MODEL_STATUS.items()}
# "LOCAL" of the kinds of sources that it had.
_SOURCE_TYPE = 4


def of_experiment(experiment: ForeignExperiment, location: str) -> dict[str, Any]:
    """`location` is the address of its folder."""
    return {
        "artifact_location": location,
        "creation_time": experiment.created_ms,
        "experiment_id": experiment.old_id,
        "last_update_time": experiment.updated_ms,
        "lifecycle_stage": _stage(experiment.is_deleted),
        "name": experiment.name,
    }


def of_run(run: ForeignRun, experiment_id: str, uri: str, deleted_ms: int | None) -> dict[str, Any]:
    """`uri` is the address of its files."""
    return {
        "artifact_uri": uri,
        **({"deleted_time": deleted_ms} if run.is_deleted else {}),
        "end_time": run.end_ms,
        "entry_point_name": "",
        "experiment_id": experiment_id,
        "lifecycle_stage": _stage(run.is_deleted),
        "run_id": run.run_id,
        "run_name": run.name,
        "run_uuid": run.run_id,
        "source_name": "",
        "source_type": _SOURCE_TYPE,
        "source_version": "",
        "start_time": run.start_ms,
        "status": _RUN_NUMBER[run.status],
        "tags": [],
        "user_id": run.user_name,
    }


def of_logged_model(model: ForeignLoggedModel, experiment_id: str, uri: str) -> dict[str, Any]:
    """`uri` is the address of its files."""
    return {
        "artifact_location": uri,
        "creation_timestamp": model.created_ms,
        "experiment_id": experiment_id,
        "last_updated_timestamp": model.updated_ms,
        **({"lifecycle_stage": "deleted"} if model.is_deleted else {}),
        "model_id": model.model_id,
        "model_type": model.model_type or None,
        "name": model.name,
        "source_run_id": model.source_run_id or None,
        "status": _MODEL_NUMBER[model.status],
        "status_message": model.status_message or None,
    }


def of_dataset(dataset: UsedDataset) -> dict[str, Any]:
    """What it is; how it was used stands with the run."""
    return {
        "digest": dataset.digest,
        "name": dataset.name,
        "profile": dataset.profile,
        "schema": dataset.schema,
        "source": dataset.source,
        "source_type": dataset.source_type,
    }


def of_use(dataset: UsedDataset) -> dict[str, Any]:
    """That a run used a dataset."""
    key = dataset_id(dataset)
    return {
        "destination_id": key,
        "destination_type": "RUN",
        "source_id": key,
        "source_type": "DATASET",
        "tags": dict(dataset.tags),
    }


def of_input(model_id: str, run_id: str) -> dict[str, Any]:
    """That a run took a logged model."""
    return {
        "destination_id": run_id,
        "destination_type": "RUN",
        "source_id": model_id,
        "source_type": "MODEL",
        "tags": {},
    }


def of_output(model_id: str, step: int) -> dict[str, Any]:
    """That a run made a logged model."""
    return {
        "destination_id": model_id,
        "destination_type": "MODEL_OUTPUT",
        "source_id": model_id,
        "source_type": "RUN_OUTPUT",
        "step": step,
        "tags": {},
    }


def of_registered_model(model: ForeignModel) -> dict[str, Any]:
    """Aliases and tags are files beside it."""
    return {
        "aliases": {name: str(number) for name, number in model.aliases.items()},
        "creation_timestamp": model.created_ms,
        "description": model.description or None,
        "last_updated_timestamp": model.updated_ms,
        "name": model.name,
    }


def of_version(model: ForeignModel, version: ForeignVersion, storage: str) -> dict[str, Any]:
    """`storage` is the address of its files."""
    return {
        "creation_timestamp": version.created_ms,
        "current_stage": version.stage,
        "description": version.description or None,
        "last_updated_timestamp": version.updated_ms,
        "model_id": None,
        "name": model.name,
        "run_id": version.run_id or None,
        "run_link": version.run_link or None,
        "source": version.source,
        "status": version.status,
        "status_message": version.status_message or None,
        "storage_location": storage or None,
        "user_id": None,
        "version": version.number,
    }


def dataset_id(dataset: UsedDataset) -> str:
    """The name of a dataset's folder."""
    return _hash(dataset.name, dataset.digest)


def use_id(dataset: UsedDataset, run_id: str) -> str:
    """The name of the folder that says that a run used it."""
    return _hash(dataset_id(dataset), run_id)


def input_id(model_id: str, run_id: str) -> str:
    """The name of the folder that says that a run took a model."""
    return _hash(model_id, run_id)


def _stage(is_deleted: bool) -> str:
    return "deleted" if is_deleted else "active"


def _hash(*texts: str) -> str:
    return hashlib.md5("".join(texts).encode(), usedforsecurity=False).hexdigest()
