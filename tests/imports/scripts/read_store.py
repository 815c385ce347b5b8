"""All that the real client reads from a store, as JSON: `python read_store.py TRACKING_URI > read.json`.

Ids of experiments are replaced by names, and addresses of files by what lies there: they are the store's own.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

uri = sys.argv[1]
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri(uri)
client = MlflowClient(uri)
names: dict[str, str] = {}


def pages(search: Any, **more: Any) -> list[Any]:
    found, token = [], None
    while True:
        page = search(page_token=token, **more)
        found += page
        token = page.token
        if not token:
            return found


def files(download: Any) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        download(folder)
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }


def tags_of(tags: Any) -> dict[str, str]:
    return {key: value for key, value in dict(tags).items() if not key.startswith("slipway.import.")}


def numbers(aliases: Any) -> dict[str, str]:
    return {name: str(number) for name, number in aliases.items()}


def run_of(run: Any) -> dict[str, Any]:
    history = {
        key: sorted(
            [point.step, point.timestamp, repr(point.value)]
            for point in client.get_metric_history(run.info.run_id, key)
        )
        for key in run.data.metrics
    }
    info = run.info
    return {
        "experiment": names[info.experiment_id],
        "name": info.run_name,
        "status": info.status,
        "stage": info.lifecycle_stage,
        "times": [info.start_time, info.end_time],
        "user": info.user_id,
        "latest": {key: repr(value) for key, value in run.data.metrics.items()},
        "history": history,
        "params": run.data.params,
        "tags": run.data.tags,
        "datasets": [
            [each.dataset.to_dictionary(), sorted((tag.key, tag.value) for tag in each.tags)]
            for each in run.inputs.dataset_inputs
        ],
        "inputs": [each.to_dictionary() for each in getattr(run.inputs, "model_inputs", ())],
        "outputs": [each.to_dictionary() for each in getattr(getattr(run, "outputs", None), "model_outputs", ())],
        "files": files(lambda folder: client.download_artifacts(info.run_id, "", folder))
        if client.list_artifacts(info.run_id)
        else {},
    }


def model_of(model: Any) -> dict[str, Any]:
    return {
        "experiment": names[model.experiment_id],
        "name": model.name,
        "status": str(model.status),
        "times": [model.creation_timestamp, model.last_updated_timestamp],
        "kind": model.model_type or "",
        "run": model.source_run_id,
        "params": model.params,
        "tags": model.tags,
        "metrics": sorted(
            [m.key, m.step, m.timestamp, m.value, m.run_id, m.dataset_name or "", m.dataset_digest or ""]
            for m in model.metrics or ()
        ),
        "files": files(
            lambda folder: mlflow.artifacts.download_artifacts(f"models:/{model.model_id}", dst_path=folder)
        ),
    }


def version_of(version: Any) -> dict[str, Any]:
    uri = f"models:/{version.name}/{version.version}"
    return {
        "source": version.source,
        "run": version.run_id,
        "text": version.description or "",
        "status": version.status,
        "stage": version.current_stage,
        "created": version.creation_timestamp,
        "tags": version.tags,
        "files": files(lambda folder: mlflow.artifacts.download_artifacts(uri, dst_path=folder)),
    }


experiments = pages(client.search_experiments, view_type=ViewType.ALL)
names.update({each.experiment_id: each.name for each in experiments})
ids = list(names)
runs = pages(client.search_runs, experiment_ids=ids, run_view_type=ViewType.ALL)
models = client.search_logged_models(experiment_ids=ids) if hasattr(client, "search_logged_models") else []
registered = [client.get_registered_model(each.name) for each in pages(client.search_registered_models)]
print(
    json.dumps(
        {
            "experiments": {
                each.name: [each.lifecycle_stage, each.creation_time, each.last_update_time, tags_of(each.tags)]
                for each in experiments
                if each.name != "Default"
            },
            "runs": {run.info.run_id: run_of(run) for run in runs},
            "logged models": {model.model_id: model_of(model) for model in models},
            "registered": {
                each.name: [each.description or "", each.creation_timestamp, tags_of(each.tags), numbers(each.aliases)]
                for each in registered
            },
            "versions": {
                f"{each.name}/{each.version}": version_of(each) for each in pages(client.search_model_versions)
            },
        }
    )
)
