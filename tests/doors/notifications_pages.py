"""Pages of inboxes, preferences and webhooks: of the team forge, which nobody but Root administers.

The model is `promoted` of Ada's team; the line is of her inbox.
"""

from __future__ import annotations

from tests.doors import EVERYBODY, READERS, Door, as_if

_NOBODYS = (404, 404, 404, 404, 404)
_MANAGED = (404, 403, 403, 403, 200)
_LINE = {"pk": "{line}"}
_HOOK = {"uid": "{hook}"}
_NEW_HOOK = {
    "name": "hook",
    "dialect": "mlflow",
    "scope": "team:forge",
    "url": "https://hooks.invalid/x",
    "events": "model_version.created",
    "status": "ACTIVE",
}
_FOLLOWED = {"kind": "registered_model", "reference": "id:{registered}"}

NOTIFICATION_PAGES = {
    "GET notifications:inbox": Door(EVERYBODY),
    "GET notifications:unread": Door(EVERYBODY),
    "POST notifications:read": Door(_NOBODYS, at=_LINE),
    "POST notifications:read_all": Door(as_if(EVERYBODY, 302)),
    "GET notifications:preferences": Door(EVERYBODY),
    "POST notifications:preferences": Door(as_if(EVERYBODY, 302), {"mail": "daily"}),
    "POST notifications:unsubscribe": Door(_NOBODYS, at={"pk": "4711"}),
    "GET notifications:subscription": Door(READERS, at=_FOLLOWED),
    "POST notifications:subscription": Door(as_if(READERS, 302), {"choice": "all"}, _FOLLOWED),
    "GET notifications:webhooks": Door(EVERYBODY),
    "GET notifications:webhook_new": Door(EVERYBODY),
    # Refused beside the field.
    "POST notifications:webhook_new": Door((422, 422, 422, 422, 302), _NEW_HOOK),
    "GET notifications:webhook": Door(_MANAGED, at=_HOOK),
    "GET notifications:webhook_edit": Door(_MANAGED, at=_HOOK),
    "POST notifications:webhook_edit": Door(as_if(_MANAGED, 302), _NEW_HOOK, _HOOK),
    "POST notifications:webhook_test": Door(as_if(_MANAGED, 302), at=_HOOK),
    "POST notifications:webhook_delete": Door(as_if(_MANAGED, 302), at=_HOOK),
    "POST notifications:redeliver": Door(as_if(_MANAGED, 302), at={"pk": "{delivery}"}),
}
