"""Queues, workers and quotas: everybody may look at the first two, administrators change them."""

from __future__ import annotations

from tests.doors import ADMINS, EVERYBODY, Door, as_if

_QUEUE = {"name": "{queue}"}
_WORKER = {"name": "{worker}"}
_TEAM = {"team": "forge"}

WORKERS_API = {
    "GET api:queue-list": Door(EVERYBODY),
    "POST api:queue-list": Door(as_if(ADMINS, 201), {"name": "fresh"}),
    "GET api:queue-detail": Door(EVERYBODY, at=_QUEUE),
    "PATCH api:queue-detail": Door(ADMINS, {"is_paused": True}, _QUEUE),
    "DELETE api:queue-detail": Door(as_if(ADMINS, 204), at=_QUEUE),
    "GET api:worker-list": Door(EVERYBODY),
    "POST api:worker-drain": Door(ADMINS, at=_WORKER),
    "POST api:worker-resume": Door(ADMINS, at=_WORKER),
    "GET api:quota-list": Door(ADMINS),
    "PUT api:quota-detail": Door(ADMINS, {"max_running": 2}, _TEAM),
}

WORKERS_PAGES = {
    "GET projects:workers": Door(EVERYBODY),
    "POST projects:worker_drain": Door(as_if(ADMINS, 302), at=_WORKER),
    "POST projects:worker_resume": Door(as_if(ADMINS, 302), at=_WORKER),
    "GET projects:queues": Door(EVERYBODY),
    "GET projects:queue_new": Door(ADMINS),
    "GET projects:queue_edit": Door(ADMINS, at=_QUEUE),
    "POST projects:queue_pause": Door(as_if(ADMINS, 302), {"paused": "yes"}, _QUEUE),
    "POST projects:queue_delete": Door(as_if(ADMINS, 302), at=_QUEUE),
    "GET projects:quota": Door(ADMINS, at=_TEAM),
}
