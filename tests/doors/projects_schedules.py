"""Schedules, as pages and in the API. The schedule is Ada's, of her project `iris`."""

from __future__ import annotations

from tests.doors import EDITORS, EVERYBODY, READERS, Door, as_if

_IRIS = {"team": "forge", "name": "iris"}
_NIGHTLY = {**_IRIS, "schedule_id": "{schedule}"}
_OWN = {"pk": "{schedule}"}
_CRON = {"cron": "0 3 * * *"}

SCHEDULE_DOORS = {
    "GET projects:schedules": Door(READERS, at=_IRIS),
    "GET projects:schedule_new": Door(EDITORS, at=_IRIS),
    "GET projects:schedule_preview": Door(EDITORS, _CRON, _IRIS),
    "GET projects:schedule": Door(EDITORS, at=_NIGHTLY),
    "POST projects:schedule_pause": Door(as_if(EDITORS, 302), {"paused": "yes"}, _NIGHTLY),
    "POST projects:schedule_delete": Door(as_if(EDITORS, 302), at=_NIGHTLY),
    "GET api:schedule-list": Door(EVERYBODY),
    "POST api:schedule-list": Door(as_if(EDITORS, 201), {"project": "{project}", "name": "x", **_CRON}),
    "GET api:schedule-detail": Door(READERS, at=_OWN),
    "PATCH api:schedule-detail": Door(EDITORS, {"is_paused": True}, _OWN),
    "DELETE api:schedule-detail": Door(as_if(EDITORS, 204), at=_OWN),
    "GET api:schedule-preview": Door(EVERYBODY, _CRON),
}
