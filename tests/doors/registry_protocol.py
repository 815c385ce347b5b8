"""The protocol's routes of models and versions. `classifier` is Ada's model with one version, which is in no stage.

Root speaks for another team, where nobody knows a model by that name.
"""

from __future__ import annotations

from tests.doors import EVERYBODY, Door, Statuses

_MODEL = {"name": "classifier"}
_VERSION = {**_MODEL, "version": "1"}
_TAG = {"key": "kind", "value": "x"}
_GRANT = {**_MODEL, "username": "zoe"}

_READ: Statuses = (404, 200, 200, 200, 404)
_EDIT: Statuses = (404, 403, 200, 200, 404)
_STAGE: Statuses = (404, 403, 403, 200, 404)
_MANAGE: Statuses = (404, 403, 403, 200, 404)
# An alias and a grant that aren't there: who may ask for them is told so.
_NO_ALIAS: Statuses = (404, 400, 400, 400, 404)
_NO_GRANT: Statuses = (404, 403, 403, 404, 404)

REGISTRY = {
    "POST 2.0/mlflow/registered-models/create": Door((200, 403, 200, 200, 200), {"name": "fresh"}),
    "GET 2.0/mlflow/registered-models/get": Door(_READ, _MODEL),
    "PATCH 2.0/mlflow/registered-models/update": Door(_EDIT, {**_MODEL, "description": "x"}),
    "POST 2.0/mlflow/registered-models/rename": Door(_MANAGE, {**_MODEL, "new_name": "other"}),
    "DELETE 2.0/mlflow/registered-models/delete": Door(_MANAGE, _MODEL),
    "GET 2.0/mlflow/registered-models/search": Door(EVERYBODY),
    "POST 2.0/mlflow/registered-models/get-latest-versions": Door(_READ, _MODEL),
    "GET 2.0/mlflow/registered-models/get-latest-versions": Door(_READ, _MODEL),
    "POST 2.0/mlflow/registered-models/set-tag": Door(_EDIT, {**_MODEL, **_TAG}),
    "DELETE 2.0/mlflow/registered-models/delete-tag": Door(_EDIT, {**_MODEL, "key": "kind"}),
    "POST 2.0/mlflow/registered-models/alias": Door(_EDIT, {**_VERSION, "alias": "champion"}),
    "DELETE 2.0/mlflow/registered-models/alias": Door(_READ, {**_MODEL, "alias": "champion"}),
    "GET 2.0/mlflow/registered-models/alias": Door(_NO_ALIAS, {**_MODEL, "alias": "champion"}),
    "POST 2.0/mlflow/model-versions/create": Door(_EDIT, {**_MODEL, "source": "runs:/{run}/model"}),
    "GET 2.0/mlflow/model-versions/get": Door(_READ, _VERSION),
    "PATCH 2.0/mlflow/model-versions/update": Door(_EDIT, {**_VERSION, "description": "x"}),
    "DELETE 2.0/mlflow/model-versions/delete": Door(_EDIT, _VERSION),
    "GET 2.0/mlflow/model-versions/search": Door(EVERYBODY),
    "GET 2.0/mlflow/model-versions/get-download-uri": Door(_READ, _VERSION),
    "POST 2.0/mlflow/model-versions/transition-stage": Door(_STAGE, {**_VERSION, "stage": "Staging"}),
    "POST 2.0/mlflow/model-versions/set-tag": Door(_EDIT, {**_VERSION, **_TAG}),
    "DELETE 2.0/mlflow/model-versions/delete-tag": Door(_EDIT, {**_VERSION, "key": "kind"}),
    "POST 2.0/mlflow/registered-models/permissions/create": Door(_MANAGE, {**_GRANT, "permission": "READ"}),
    "GET 2.0/mlflow/registered-models/permissions/get": Door(_MANAGE, {**_MODEL, "username": "ada"}),
    "PATCH 2.0/mlflow/registered-models/permissions/update": Door(
        _MANAGE, {**_MODEL, "username": "ada", "permission": "MANAGE"}
    ),
    "DELETE 2.0/mlflow/registered-models/permissions/delete": Door(_NO_GRANT, {**_MODEL, "username": "zoe"}),
}
