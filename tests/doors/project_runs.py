"""What opens to the token of a project run, and how far. A line that is not here is closed: 403.

The statuses are those of three runs: Ada's, in the experiment that the samples are about; another of hers, in another
experiment of the same team; and one of Cleo's, of another team. Samples are those of the other tables, unless one is
here. Registered models are the team's, so the second run reads them too.
"""

from __future__ import annotations

from tests.doors import Door

Statuses = tuple[int, int, int]

_ALL: Statuses = (200, 200, 200)
_OWN: Statuses = (200, 404, 404)
_TEAM: Statuses = (200, 200, 404)
# Versions that are made of nothing in the run's experiment.
_NOT_ITS: Statuses = (403, 403, 404)
_NO_FILE: Statuses = (404, 404, 404)
# Files on disk: clients fall back on plain uploads.
_PLAIN: Statuses = (501, 404, 404)

_EXPERIMENTS = {
    "GET 3.0/mlflow/server-info": _ALL,
    "GET 2.0/mlflow/experiments/get": _OWN,
    "GET 2.0/mlflow/experiments/get-by-name": _OWN,
    "POST 2.0/mlflow/experiments/search": _ALL,
    "GET 2.0/mlflow/experiments/search": _ALL,
    "POST 2.0/mlflow/experiments/search-datasets": _ALL,
    "POST 2.0mlflow/experiments/search-datasets": _ALL,
    "POST 2.0/mlflow/runs/create": _OWN,
    "GET 2.0/mlflow/runs/get": _OWN,
    "POST 2.0/mlflow/runs/update": _OWN,
    "POST 2.0/mlflow/runs/log-metric": _OWN,
    "POST 2.0/mlflow/runs/log-parameter": _OWN,
    "POST 2.0/mlflow/runs/log-batch": _OWN,
    "POST 2.0/mlflow/runs/set-tag": _OWN,
    "POST 2.0/mlflow/runs/log-inputs": _OWN,
    "POST 2.0/mlflow/runs/outputs": _OWN,
    "POST 2.0/mlflow/runs/log-model": _OWN,
    "POST 2.0/mlflow/runs/search": _ALL,
    "GET 2.0/mlflow/metrics/get-history": _OWN,
    "GET 2.0/mlflow/metrics/get-history-bulk": _ALL,
    "GET 2.0/mlflow/metrics/get-history-bulk-interval": _ALL,
    "POST 2.0/mlflow/logged-models": _OWN,
    "POST 2.0/mlflow/logged-models/search": _ALL,
    "GET 2.0/mlflow/logged-models/{model_id}": _OWN,
    "PATCH 2.0/mlflow/logged-models/{model_id}": _OWN,
    "PATCH 2.0/mlflow/logged-models/{model_id}/tags": _OWN,
    "POST 2.0/mlflow/logged-models/{model_id}/params": _OWN,
    "GET 2.0/mlflow/logged-models/{model_id}/artifacts/directories": _OWN,
    "GET 2.0/mlflow/artifacts/list": _OWN,
    "POST 2.0/mlflow/artifacts/presigned-download-url": _PLAIN,
}

_FILES = {
    # The root of the store.
    "GET artifact_list": (403, 403, 403),
    "GET artifact_file": _NO_FILE,
    "PUT artifact_file": _OWN,
    "POST artifact_create_upload": _PLAIN,
    "POST artifact_complete_upload": _PLAIN,
    "POST artifact_abort_upload": _PLAIN,
    "GET artifact_signed_download": _PLAIN,
    "GET run_file": _NO_FILE,
    "GET run_file_twin": _NO_FILE,
    "GET logged_model_file": _NO_FILE,
    "GET version_file": _NO_FILE,
    "GET version_file_twin": _NO_FILE,
    # The sample names no run.
    "POST artifact_upload": (400, 400, 400),
}

_REGISTRY = {
    "POST 2.0/mlflow/registered-models/create": _ALL,
    "GET 2.0/mlflow/registered-models/get": _TEAM,
    "GET 2.0/mlflow/registered-models/search": _ALL,
    "POST 2.0/mlflow/registered-models/get-latest-versions": _TEAM,
    "GET 2.0/mlflow/registered-models/get-latest-versions": _TEAM,
    # There is none.
    "GET 2.0/mlflow/registered-models/alias": (400, 400, 404),
    "POST 2.0/mlflow/model-versions/create": _OWN,
    "GET 2.0/mlflow/model-versions/get": _TEAM,
    "GET 2.0/mlflow/model-versions/search": _ALL,
    "GET 2.0/mlflow/model-versions/get-download-uri": _TEAM,
    "PATCH 2.0/mlflow/model-versions/update": _NOT_ITS,
    "POST 2.0/mlflow/model-versions/set-tag": _NOT_ITS,
    "POST 2.0/mlflow/transition-requests/create": _TEAM,
    "POST api:model-version-requests": (201, 201, 404),
}

_PROJECTS = {
    "GET api:project-list": _ALL,
    "GET api:project-detail": _OWN,
    # JSON is no zip.
    "POST api:project-archive-list": (415, 415, 415),
    "GET api:project-run-list": _ALL,
    # The others are of no project, so they start nothing.
    "POST api:project-run-list": (201, 404, 404),
    "GET api:project-run-detail": _OWN,
    "GET api:project-run-log": _OWN,
    # It cancels those that it started, and not itself.
    "POST api:project-run-cancel": (403, 404, 404),
}

RUN_DOORS: dict[str, Statuses] = _EXPERIMENTS | _FILES | _REGISTRY | _PROJECTS

SAMPLES = {
    "PUT artifact_file": Door(
        (404, 403, 200, 200, 200), {"any": "thing"}, {"path": "{experiment}/{run}/artifacts/x.json"}
    ),
}
