"""Webhooks and the inbox. The webhooks are of the whole team forge, the inbox line is Ada's own.

`{hook}` speaks MLflow's dialect, `{registry_hook}` Databricks'; their URL resolves to nothing, so that no call leaves.
"""

from __future__ import annotations

from tests.doors import ADMINS, EVERYBODY, Door, as_if

_URL = "https://hooks.invalid/x"
_CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
_HOOK = {"webhook_id": "{hook}"}
_PK = {"pk": "{hook}"}
_ID = {"id": "{registry_hook}"}
_TEAM_ADMINS = (404, 403, 403, 403, 200)
_NOBODY_ELSE = (404, 404, 404, 404, 404)

NOTIFICATION_PROTOCOL = {
    "POST 2.0/mlflow/webhooks": Door(ADMINS, {"name": "ci", "url": _URL, "events": [_CREATED]}),
    "GET 2.0/mlflow/webhooks": Door(ADMINS),
    "GET 2.0/mlflow/webhooks/{webhook_id}": Door(_TEAM_ADMINS, at=_HOOK),
    "PATCH 2.0/mlflow/webhooks/{webhook_id}": Door(_TEAM_ADMINS, {"description": "x"}, _HOOK),
    "DELETE 2.0/mlflow/webhooks/{webhook_id}": Door(_TEAM_ADMINS, at=_HOOK),
    "POST 2.0/mlflow/webhooks/{webhook_id}/test": Door(_TEAM_ADMINS, at=_HOOK),
    # A name is looked up in the caller's own team: Root's is another.
    "POST 2.0/mlflow/registry-webhooks/create": Door(
        (404, 403, 403, 200, 404),
        {"model_name": "classifier", "events": ["COMMENT_CREATED"], "http_url_spec": {"url": _URL}},
    ),
    "GET 2.0/mlflow/registry-webhooks/list": Door(EVERYBODY),
    "PATCH 2.0/mlflow/registry-webhooks/update": Door(_TEAM_ADMINS, {**_ID, "description": "x"}),
    "DELETE 2.0/mlflow/registry-webhooks/delete": Door(_TEAM_ADMINS, _ID),
    "POST 2.0/mlflow/registry-webhooks/test": Door(_TEAM_ADMINS, _ID),
}

NOTIFICATION_API = {
    "GET api:notification-list": Door(EVERYBODY),
    "GET api:notification-unread-count": Door(EVERYBODY),
    "POST api:notification-read-all": Door(EVERYBODY),
    "POST api:notification-read": Door(_NOBODY_ELSE, at={"pk": "{line}"}),
    "GET api:notification-preferences": Door(EVERYBODY),
    "GET api:subscription-list": Door(EVERYBODY),
    "GET api:webhook-list": Door(EVERYBODY),
    "POST api:webhook-list": Door(
        as_if(_TEAM_ADMINS, 201), {"name": "ci", "url": _URL, "events": ["comment.created"], "team": "forge"}
    ),
    "GET api:webhook-detail": Door(_TEAM_ADMINS, at=_PK),
    "PATCH api:webhook-detail": Door(_TEAM_ADMINS, {"name": "other"}, _PK),
    "DELETE api:webhook-detail": Door(as_if(_TEAM_ADMINS, 204), at=_PK),
    "POST api:webhook-test": Door(_TEAM_ADMINS, at=_PK),
    "GET api:webhook-deliveries": Door(_TEAM_ADMINS, at=_PK),
    "GET api:delivery-detail": Door(_TEAM_ADMINS, at={"pk": "{delivery}"}),
    "POST api:delivery-redeliver": Door(as_if(_TEAM_ADMINS, 201), at={"pk": "{delivery}"}),
}
