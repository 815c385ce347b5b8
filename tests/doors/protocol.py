"""The protocol's routes, `METHOD path`. Each is tried below `/api/` and `/ajax-api/`."""

from __future__ import annotations

from tests.doors import ADMINS, CREATORS, EDITORS, EVERYBODY, MANAGERS, READERS, Door, as_if
from tests.doors.notifications import NOTIFICATION_PROTOCOL
from tests.doors.registry_databricks import DATABRICKS
from tests.doors.registry_protocol import REGISTRY

_EXPERIMENT = {"experiment_id": "{experiment}"}
_RUN = {"run_id": "{run}"}
_MODEL_JSON = '{{"artifact_path": "m", "run_id": "{run}", "utc_time_created": "2026-01-01", "flavors": {{}}}}'
_MODEL = {"model_id": "{model}"}
_PHRASE = "a fine long phrase"
_METRIC = {"key": "m", "value": 1, "timestamp": 1, "step": 0}
_GRANT = {"username": "zoe", "permission": "READ"}
_RESOURCE = {"resource_type": "experiment", "resource_id": "{experiment}"}
_FORGE = {"workspace_name": "forge"}
_FIXED = (400, 400, 400, 400, 400)
_OF_ADMINS = (403, 403, 403, 403, 200)
_MEMBER_ROLE = {"role_id": "{role}"}

ACCOUNTS = {
    "GET 3.0/mlflow/server-info": Door(EVERYBODY),
    "GET 3.0/mlflow/workspaces": Door(EVERYBODY),
    "POST 3.0/mlflow/workspaces": Door(as_if(ADMINS, 201), {"name": "foundry"}),
    "GET 3.0/mlflow/workspaces/{workspace_name}": Door(READERS, at=_FORGE),
    "PATCH 3.0/mlflow/workspaces/{workspace_name}": Door((404, 403, 403, 403, 200), {"description": "x"}, _FORGE),
    "DELETE 3.0/mlflow/workspaces/{workspace_name}": Door((404, 403, 403, 403, 409), at=_FORGE),
    "POST 2.0/mlflow/users/create": Door(ADMINS, {"username": "eve", "password": _PHRASE}),
    "GET 2.0/mlflow/users/get": Door((404, 403, 403, 403, 200), {"username": "ada"}),
    "GET 2.0/mlflow/users/current": Door(EVERYBODY),
    "GET 2.0/mlflow/users/list": Door(EVERYBODY),
    "PATCH 2.0/mlflow/users/update-password": Door((404, 403, 403, 403, 200), {"username": "ada", "password": _PHRASE}),
    "PATCH 2.0/mlflow/users/update-admin": Door(_OF_ADMINS, {"username": "ada", "is_admin": True}),
    "DELETE 2.0/mlflow/users/delete": Door(_OF_ADMINS, {"username": "ada"}),
    "POST 2.0/mlflow/experiments/permissions/create": Door(MANAGERS, {**_EXPERIMENT, **_GRANT}),
    "GET 2.0/mlflow/experiments/permissions/get": Door(MANAGERS, {**_EXPERIMENT, "username": "ada"}),
    "PATCH 2.0/mlflow/experiments/permissions/update": Door(
        MANAGERS, {**_EXPERIMENT, "username": "ada", "permission": "MANAGE"}
    ),
    "DELETE 2.0/mlflow/experiments/permissions/delete": Door(
        (404, 403, 403, 200, 200), {**_EXPERIMENT, "username": "yan"}
    ),
    "POST 3.0/mlflow/users/permissions/grant": Door(MANAGERS, {**_RESOURCE, **_GRANT}),
    "POST 3.0/mlflow/users/permissions/revoke": Door(MANAGERS, {**_RESOURCE, "username": "yan"}),
    "GET 3.0/mlflow/users/permissions/get": Door((404, 403, 403, 200, 200), {**_RESOURCE, "username": "ada"}),
    "GET 3.0/mlflow/users/permissions/list": Door((404, 403, 403, 403, 200), {"username": "ada"}),
    "GET 3.0/mlflow/users/current/permissions": Door(EVERYBODY),
    "GET 3.0/mlflow/roles/get": Door(READERS, _MEMBER_ROLE),
    "GET 3.0/mlflow/roles/list": Door(READERS, {"workspace": "forge"}),
    "GET 3.0/mlflow/roles/permissions/list": Door(READERS, _MEMBER_ROLE),
    "GET 3.0/mlflow/roles/users/list": Door(READERS, _MEMBER_ROLE),
    "GET 3.0/mlflow/users/roles/list": Door(READERS, {"username": "ada"}),
    "POST 3.0/mlflow/roles/assign": Door((404, 403, 403, 403, 200), {"username": "zoe", **_MEMBER_ROLE}),
    "DELETE 3.0/mlflow/roles/unassign": Door((404, 403, 403, 403, 200), {"username": "ada", **_MEMBER_ROLE}),
    "POST 3.0/mlflow/roles/create": Door(_FIXED),
    "PATCH 3.0/mlflow/roles/update": Door(_FIXED),
    "DELETE 3.0/mlflow/roles/delete": Door(_FIXED),
    "POST 3.0/mlflow/roles/permissions/add": Door(_FIXED),
    "DELETE 3.0/mlflow/roles/permissions/remove": Door(_FIXED),
    "PATCH 3.0/mlflow/roles/permissions/update": Door(_FIXED),
}

EXPERIMENTS = {
    "POST 2.0/mlflow/experiments/create": Door(CREATORS, {"name": "fresh"}),
    "GET 2.0/mlflow/experiments/get": Door(READERS, _EXPERIMENT),
    "GET 2.0/mlflow/experiments/get-by-name": Door((404, 200, 200, 200, 404), {"experiment_name": "iris"}),
    "POST 2.0/mlflow/experiments/search": Door(EVERYBODY, {"max_results": 10}),
    "GET 2.0/mlflow/experiments/search": Door(EVERYBODY, {"max_results": 10}),
    "POST 2.0/mlflow/experiments/update": Door(EDITORS, {**_EXPERIMENT, "new_name": "other"}),
    "POST 2.0/mlflow/experiments/delete": Door(MANAGERS, _EXPERIMENT),
    # Not in the trash, so there is nothing to restore.
    "POST 2.0/mlflow/experiments/restore": Door((404, 403, 403, 404, 404), _EXPERIMENT),
    "POST 2.0/mlflow/experiments/set-experiment-tag": Door(EDITORS, {**_EXPERIMENT, "key": "k", "value": "v"}),
    "POST 2.0/mlflow/experiments/delete-experiment-tag": Door(EDITORS, {**_EXPERIMENT, "key": "kind"}),
    "POST 2.0/mlflow/experiments/search-datasets": Door(EVERYBODY, {"experiment_ids": ["{experiment}"]}),
    "POST 2.0mlflow/experiments/search-datasets": Door(EVERYBODY, {"experiment_ids": ["{experiment}"]}),
}

RUNS = {
    "POST 2.0/mlflow/runs/create": Door(EDITORS, _EXPERIMENT),
    "GET 2.0/mlflow/runs/get": Door(READERS, _RUN),
    "POST 2.0/mlflow/runs/update": Door(EDITORS, {**_RUN, "status": "FINISHED"}),
    "POST 2.0/mlflow/runs/delete": Door(MANAGERS, _RUN),
    "POST 2.0/mlflow/runs/restore": Door(MANAGERS, _RUN),
    "POST 2.0/mlflow/runs/log-metric": Door(EDITORS, {**_RUN, **_METRIC}),
    "POST 2.0/mlflow/runs/log-parameter": Door(EDITORS, {**_RUN, "key": "p", "value": "1"}),
    "POST 2.0/mlflow/runs/log-batch": Door(EDITORS, {**_RUN, "metrics": [_METRIC]}),
    "POST 2.0/mlflow/runs/set-tag": Door(EDITORS, {**_RUN, "key": "k", "value": "v"}),
    "POST 2.0/mlflow/runs/delete-tag": Door(EDITORS, {**_RUN, "key": "kind"}),
    "GET 2.0/mlflow/metrics/get-history": Door(READERS, {**_RUN, "metric_key": "loss"}),
    "GET 2.0/mlflow/metrics/get-history-bulk": Door(EVERYBODY, {**_RUN, "metric_key": "loss"}),
    "GET 2.0/mlflow/metrics/get-history-bulk-interval": Door(EVERYBODY, {"run_ids": "{run}", "metric_key": "loss"}),
    "POST 2.0/mlflow/runs/search": Door(EVERYBODY, {"experiment_ids": ["{experiment}"]}),
    "POST 2.0/mlflow/runs/log-inputs": Door(EDITORS, _RUN),
    "POST 2.0/mlflow/runs/outputs": Door(EDITORS, {**_RUN, "models": [{"model_id": "{model}", "step": 0}]}),
    "POST 2.0/mlflow/runs/log-model": Door(
        EDITORS,
        {
            **_RUN,
            "model_json": _MODEL_JSON,
        },
    ),
}

LOGGED_MODELS = {
    "POST 2.0/mlflow/logged-models": Door(EDITORS, {**_EXPERIMENT, "name": "m"}),
    "POST 2.0/mlflow/logged-models/search": Door(EVERYBODY, {"experiment_ids": ["{experiment}"]}),
    "GET 2.0/mlflow/logged-models/{model_id}": Door(READERS, at=_MODEL),
    "PATCH 2.0/mlflow/logged-models/{model_id}": Door(EDITORS, {"status": "LOGGED_MODEL_READY"}, _MODEL),
    "DELETE 2.0/mlflow/logged-models/{model_id}": Door(MANAGERS, at=_MODEL),
    "PATCH 2.0/mlflow/logged-models/{model_id}/tags": Door(EDITORS, {"tags": [{"key": "k", "value": "v"}]}, _MODEL),
    "DELETE 2.0/mlflow/logged-models/{model_id}/tags/{tag_key}": Door(EDITORS, at={**_MODEL, "tag_key": "kind"}),
    "POST 2.0/mlflow/logged-models/{model_id}/params": Door(EDITORS, {"params": [{"key": "k", "value": "v"}]}, _MODEL),
}

ARTIFACTS = {
    "POST 2.0/mlflow/artifacts/presigned-upload-url": Door((404, 403, 501, 501, 501), {**_RUN, "path": "x.txt"}),
    "POST 2.0/mlflow/artifacts/presigned-download-url": Door((404, 501, 501, 501, 501), {**_RUN, "path": "x.txt"}),
    "GET 2.0/mlflow/artifacts/list": Door(READERS, _RUN),
    "GET 2.0/mlflow/logged-models/{model_id}/artifacts/directories": Door(READERS, at=_MODEL),
}

PROTOCOL_DOORS = (
    ACCOUNTS | EXPERIMENTS | RUNS | LOGGED_MODELS | ARTIFACTS | REGISTRY | DATABRICKS | NOTIFICATION_PROTOCOL
)
