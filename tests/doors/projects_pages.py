"""Pages of projects and their runs. The project is `iris` of Ada's team, with a run of hers that waits."""

from __future__ import annotations

from tests.doors import EDITORS, EVERYBODY, MANAGERS, READERS, Door, as_if

_IRIS = {"team": "forge", "name": "iris"}
_RUN = {"run_id": "{project_run}"}
_GIT = {"name": "fresh", "address": "https://1.1.1.1/x.git"}
_START = {"entry_point": "main", "queue": "default", "priority": 50, "gpus": 0, "retries": 0, "backoff_s": 10}
# A form says why: 422.
_FORM: tuple[int, int, int, int, int] = (404, 403, 302, 302, 302)

PROJECT_PAGES = {
    "GET projects:projects": Door(EVERYBODY),
    "GET projects:project_new": Door(EVERYBODY),
    "POST projects:project_new": Door((302, 422, 302, 302, 302), _GIT),
    "GET projects:project_by_id": Door(as_if(READERS, 302), at={"project_id": "{project}"}),
    "GET projects:project": Door(READERS, at=_IRIS),
    "GET projects:project_runs": Door(READERS, at=_IRIS),
    "GET projects:project_activity": Door(READERS, at=_IRIS),
    "POST projects:project_read": Door(_FORM, at=_IRIS),
    "GET projects:project_settings": Door(READERS, at=_IRIS),
    "POST projects:project_settings": Door(_FORM, {"queue": "default"}, _IRIS),
    "GET projects:project_source": Door(EDITORS, at=_IRIS),
    "POST projects:project_source": Door(_FORM, _GIT, _IRIS),
    "GET projects:project_edit": Door(EDITORS, at=_IRIS),
    "POST projects:project_edit": Door(_FORM, {"name": "other"}, _IRIS),
    "GET projects:project_delete": Door(MANAGERS, at=_IRIS),
    # Its run waits.
    "POST projects:project_delete": Door(as_if(MANAGERS, 422), at=_IRIS),
    "GET projects:start": Door(EDITORS, at=_IRIS),
    "POST projects:start": Door(_FORM, _START, _IRIS),
    "POST projects:start_preview": Door(EDITORS, {"entry_point": "main"}, _IRIS),
    "GET projects:runs": Door(EVERYBODY),
    "GET projects:active_runs": Door(EVERYBODY),
    "GET projects:of_tracking_run": Door(EVERYBODY, {"run": "{run}"}),
    "GET projects:run": Door(READERS, at=_RUN),
    "GET projects:run_activity": Door(READERS, at=_RUN),
    "GET projects:run_log": Door(READERS, at=_RUN),
    "GET projects:run_cancel": Door(EDITORS, at=_RUN),
    "POST projects:run_cancel": Door(as_if(EDITORS, 302), at=_RUN),
    # What the caller may not cancel is said on the page that follows.
    "POST projects:runs_cancel": Door(as_if(EVERYBODY, 302), {"run": "{project_run}"}),
    "GET projects:run_again": Door(as_if(EDITORS, 302), at=_RUN),
}
