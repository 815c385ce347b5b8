"""Databricks' routes of the registry. `promoted` is Ada's model; she asked that its version 1 enter Production.

Root speaks for another team, where nobody knows a model by that name; ids work across teams.
"""

from __future__ import annotations

from tests.doors import EVERYBODY, MANAGERS, READERS, Door, Statuses

_MODEL = {"name": "promoted"}
_VERSION = {**_MODEL, "version": "1"}
_ASKED = {**_VERSION, "stage": "Production"}
_STAGED = {**_VERSION, "stage": "Staging"}
_COMMENT = {"id": "{comment}"}
_ID = {"registered_model_id": "{registered}"}

_READ: Statuses = (404, 200, 200, 200, 404)
_DECIDE: Statuses = (404, 403, 403, 200, 404)

DATABRICKS = {
    "GET 2.0/mlflow/databricks/registered-models/get": Door(_READ, _MODEL),
    "GET 2.0/mlflow/registered-models/list": Door(EVERYBODY),
    "POST 2.0/mlflow/databricks/model-versions/transition-stage": Door(
        _DECIDE, {**_STAGED, "archive_existing_versions": False}
    ),
    "GET 2.0/mlflow/transition-requests/list": Door(_READ, _VERSION),
    # Without a policy whoever reads may ask.
    "POST 2.0/mlflow/transition-requests/create": Door(_READ, _STAGED),
    "POST 2.0/mlflow/transition-requests/approve": Door(_DECIDE, {**_ASKED, "archive_existing_versions": False}),
    "POST 2.0/mlflow/transition-requests/reject": Door(_DECIDE, _ASKED),
    "DELETE 2.0/mlflow/transition-requests/delete": Door((404, 403, 403, 403, 404), {**_ASKED, "creator": "ada"}),
    "POST 2.0/mlflow/comments/create": Door(_READ, {**_VERSION, "comment": "x"}),
    "PATCH 2.0/mlflow/comments/update": Door((404, 403, 403, 403, 403), {**_COMMENT, "comment": "x"}),
    "DELETE 2.0/mlflow/comments/delete": Door((404, 403, 403, 403, 200), _COMMENT),
    "GET 2.0/mlflow/comments/list": Door(_READ, _VERSION),
    "GET 2.0/mlflow/activities/list": Door(_READ, _VERSION),
    "GET 2.0/permissions/registered-models/{registered_model_id}": Door(MANAGERS, at=_ID),
    "PUT 2.0/permissions/registered-models/{registered_model_id}": Door(MANAGERS, at=_ID),
    "PATCH 2.0/permissions/registered-models/{registered_model_id}": Door(MANAGERS, at=_ID),
    "GET 2.0/permissions/registered-models/{registered_model_id}/permissionLevels": Door(READERS, at=_ID),
}
