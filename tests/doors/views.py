"""Pages and the API, `METHOD name`, where name is that of the URL map. Pages answer 200, or 302 after a post."""

from __future__ import annotations

from tests.doors import ADMINS, CREATORS, EDITORS, EVERYBODY, MANAGERS, READERS, Door, as_if
from tests.doors.deployments_api import DEPLOYMENTS_API
from tests.doors.deployments_callers import CALLER_DOORS
from tests.doors.deployments_pages import DEPLOYMENT_PAGES
from tests.doors.notifications import NOTIFICATION_API
from tests.doors.notifications_pages import NOTIFICATION_PAGES
from tests.doors.projects_api import PROJECTS_API
from tests.doors.projects_builds import BUILD_DOORS
from tests.doors.projects_pages import PROJECT_PAGES
from tests.doors.projects_schedules import SCHEDULE_DOORS
from tests.doors.projects_workers import WORKERS_API, WORKERS_PAGES
from tests.doors.registry_api import REGISTRY_API
from tests.doors.registry_approvals import APPROVAL_PAGES
from tests.doors.registry_pages import MODEL_PAGES
from tests.doors.secrets import SECRET_DOORS

_EXPERIMENT = {"experiment_id": "{experiment}"}
_VERSION_FILE = {"name": "classifier", "version": "1", "path": "none.txt"}
_RUN = {"run_id": "{run}"}
_FORGE = {"name": "forge"}
_BEN = {"name": "forge", "username": "ben"}
_BOT = {"name": "forge", "username": "bot"}
_ADA = {"username": "ada"}
_SHARED = {"kind": "experiment", "reference": "{experiment}"}
_TEAM_ADMINS = (404, 403, 403, 403, 200)
# Files on disk: the client falls back on plain uploads.
_UPLOADS = (404, 403, 501, 501, 501)
_FILE = {"path": "{experiment}/{run}/artifacts/x.txt"}
_PHRASE = "a fine long phrase"
_OWN = {"pk": "{token}"}

ACCOUNT_PAGES = {
    "GET accounts:profile": Door(EVERYBODY),
    "GET accounts:password": Door(EVERYBODY),
    "POST accounts:end_other_sessions": Door(as_if(EVERYBODY, 302)),
    "POST accounts:end_session": Door((404, 404, 404, 404, 404), at={"session_id": "{session}"}),
    "GET accounts:tokens": Door(EVERYBODY),
    "GET accounts:new_token": Door(EVERYBODY),
    "POST accounts:rotate_token": Door((404, 404, 404, 404, 403), at={"token_id": "{token}"}),
    "POST accounts:revoke_token": Door((404, 404, 404, 404, 302), at={"token_id": "{token}"}),
    "GET accounts:teams": Door(EVERYBODY),
    "GET accounts:new_team": Door(ADMINS),
    "POST accounts:switch_team": Door(as_if(READERS, 302), {"team": "{team}"}),
    "GET accounts:team": Door(READERS, at=_FORGE),
    "GET accounts:describe_team": Door(_TEAM_ADMINS, at=_FORGE),
    "POST accounts:delete_team": Door(as_if(ADMINS, 302), at=_FORGE),
    "GET accounts:add_member": Door(_TEAM_ADMINS, at=_FORGE),
    "POST accounts:set_role": Door(as_if(_TEAM_ADMINS, 302), {"role": "viewer"}, _BEN),
    "POST accounts:remove_member": Door(as_if(_TEAM_ADMINS, 302), at=_BEN),
    "GET accounts:new_service": Door(_TEAM_ADMINS, at=_FORGE),
    "POST accounts:delete_service": Door(as_if(_TEAM_ADMINS, 302), at=_BOT),
    "GET accounts:people": Door(ADMINS),
    "GET accounts:new_person": Door(ADMINS),
    "GET accounts:set_password": Door(ADMINS, at=_ADA),
    "POST accounts:set_active": Door(as_if(ADMINS, 302), {"active": "no"}, _ADA),
    "POST accounts:set_admin": Door(as_if(ADMINS, 302), {"admin": "yes"}, _ADA),
    "POST accounts:delete_person": Door(as_if(ADMINS, 302), at=_ADA),
    "POST accounts:give_grant": Door(MANAGERS, {"holder": "zoe", "holder_kind": "user", "level": "10"}, _SHARED),
    "POST accounts:revoke_grant": Door(MANAGERS, {"holder": "yan", "holder_kind": "user"}, _SHARED),
    "GET accounts:sharing": Door(READERS, at=_SHARED),
}

EXPERIMENT_PAGES = {
    "GET experiments:home": Door(EVERYBODY),
    "GET experiments:experiments": Door(EVERYBODY),
    "GET experiments:experiment_new": Door(EVERYBODY),
    "POST experiments:experiment_new": Door(as_if(CREATORS, 302), {"name": "fresh"}),
    "GET experiments:experiment_trash": Door(EVERYBODY),
    "GET experiments:experiment": Door(READERS, at=_EXPERIMENT),
    "GET experiments:run_rows": Door(READERS, at=_EXPERIMENT),
    "GET experiments:run_columns": Door(READERS, at=_EXPERIMENT),
    "GET experiments:run_export": Door(READERS, at=_EXPERIMENT),
    "GET experiments:experiment_models": Door(READERS, at=_EXPERIMENT),
    "GET experiments:run_trash": Door(READERS, at=_EXPERIMENT),
    "GET experiments:experiment_edit": Door(EDITORS, at=_EXPERIMENT),
    "GET experiments:run": Door(READERS, at=_RUN),
    "GET experiments:run_metrics": Door(READERS, at=_RUN),
    "GET experiments:run_datasets": Door(READERS, at=_RUN),
    "GET experiments:run_metrics_json": Door(READERS, {"key": "loss"}, _RUN),
    "GET experiments:run_live_json": Door(READERS, at=_RUN),
    "GET experiments:run_artifacts": Door(READERS, at=_RUN),
    "GET experiments:run_activity": Door(READERS, at=_RUN),
    "GET experiments:run_rename": Door(EDITORS, at=_RUN),
    "GET experiments:run_note": Door(EDITORS, at=_RUN),
    "GET experiments:run_tag": Door(EDITORS, at=_RUN),
    "GET experiments:logged_model": Door(READERS, at={"model_id": "{model}"}),
    "POST experiments:experiment_delete": Door(as_if(MANAGERS, 302), at=_EXPERIMENT),
    "POST experiments:experiment_restore": Door((404, 403, 403, 404, 404), at=_EXPERIMENT),
    "POST experiments:runs_selected": Door(as_if(MANAGERS, 302), {"do": "delete", "run": "{run}"}, _EXPERIMENT),
    "POST experiments:run_delete": Door(as_if(MANAGERS, 302), at=_RUN),
    "POST experiments:run_restore": Door(as_if(MANAGERS, 302), at=_RUN),
    "GET experiments:experiments_compare": Door(as_if(EVERYBODY, 302), {"experiment": "{experiment}"}),
    "GET experiments:compare": Door(READERS, {"runs": "{run}"}),
    # Of the runs that one may see: for Cleo there are none.
    "GET experiments:compare_metrics_json": Door(EVERYBODY, {"runs": "{run}", "key": "loss"}),
    "GET experiments:logged_model_artifacts": Door(READERS, at={"model_id": "{model}"}),
    "GET audit:event_list": Door(EVERYBODY),
    "GET audit:event_export": Door(EVERYBODY),
}

API = {
    "GET schema": Door(EVERYBODY),
    "GET docs": Door(EVERYBODY),
    "GET api:me": Door(EVERYBODY),
    "GET api:user-list": Door(EVERYBODY),
    "POST api:user-list": Door(as_if(ADMINS, 201), {"username": "eve", "password": _PHRASE}),
    "GET api:user-detail": Door(READERS, at=_ADA),
    "DELETE api:user-detail": Door((404, 403, 403, 403, 204), at=_ADA),
    "GET api:team-list": Door(EVERYBODY),
    "POST api:team-list": Door(as_if(ADMINS, 201), {"name": "foundry"}),
    "GET api:team-detail": Door(READERS, at=_FORGE),
    "PATCH api:team-detail": Door(_TEAM_ADMINS, {"description": "x"}, _FORGE),
    "GET api:membership-list": Door(READERS, at={"team": "forge"}),
    "PUT api:membership-detail": Door(_TEAM_ADMINS, {"role": "viewer"}, {"team": "forge", "username": "ben"}),
    "DELETE api:membership-detail": Door(as_if(_TEAM_ADMINS, 204), at={"team": "forge", "username": "ben"}),
    "GET api:token-list": Door(EVERYBODY),
    "GET api:token-detail": Door((404, 404, 404, 404, 200), at=_OWN),
    "DELETE api:token-detail": Door((404, 404, 404, 404, 204), at=_OWN),
    "GET api:event-list": Door(EVERYBODY),
    "GET api:experiment-list": Door(EVERYBODY),
    "POST api:experiment-list": Door(as_if(CREATORS, 201), {"name": "fresh"}),
    "GET api:experiment-detail": Door(READERS, at={"pk": "{experiment}"}),
    "PATCH api:experiment-detail": Door(EDITORS, {"name": "other"}, {"pk": "{experiment}"}),
    "DELETE api:experiment-detail": Door(as_if(MANAGERS, 204), at={"pk": "{experiment}"}),
    "GET api:run-list": Door(EVERYBODY, {"experiment_id": "{experiment}"}),
    "GET api:run-detail": Door(READERS, at=_RUN),
    # What is not in the trash can't be restored.
    "POST api:experiment-restore": Door((404, 403, 403, 404, 404), at={"pk": "{experiment}"}),
    "POST api:run-restore": Door(MANAGERS, at=_RUN),
    "GET api:run-metrics": Door(READERS, at={**_RUN, "key": "loss"}),
    "POST api:token-rotate": Door((404, 404, 404, 404, 403), at=_OWN),
    "GET api:grant-list": Door(MANAGERS, {"kind": "experiment", "object_id": "{experiment}"}),
    "POST api:grant-list": Door(
        as_if(MANAGERS, 201), {"kind": "experiment", "object_id": "{experiment}", "user": "zoe", "level": "read"}
    ),
    "DELETE api:grant-detail": Door(as_if(MANAGERS, 204), at={"pk": "{grant}"}),
    "GET api:event-detail": Door((404, 404, 404, 200, 200), at={"pk": "{event}"}),
    "GET api:event-export": Door(EVERYBODY),
    "GET artifact_list": Door((403, 403, 403, 403, 200), {"path": ""}),
    "GET artifact_file": Door((404, 404, 404, 404, 404), at={"path": "{experiment}/{run}/artifacts/none.txt"}),
    "POST artifact_create_upload": Door(_UPLOADS, {"path": "x.txt", "num_parts": 1}, _FILE),
    "POST artifact_complete_upload": Door(_UPLOADS, {"path": "x.txt", "upload_id": "u", "parts": []}, _FILE),
    "POST artifact_abort_upload": Door(_UPLOADS, {"path": "x.txt", "upload_id": "u"}, _FILE),
    "GET artifact_signed_download": Door((404, 501, 501, 501, 501), at=_FILE),
    "GET run_file": Door((404, 404, 404, 404, 404), {**_RUN, "path": "none.txt"}),
    "GET run_file_twin": Door((404, 404, 404, 404, 404), {**_RUN, "path": "none.txt"}),
    "GET version_file": Door((404, 404, 404, 404, 404), _VERSION_FILE),
    "GET version_file_twin": Door((404, 404, 404, 404, 404), _VERSION_FILE),
    "POST artifact_upload": Door((400, 400, 400, 400, 400), {**_RUN, "path": "x.txt"}),
    "GET logged_model_file": Door(
        (404, 404, 404, 404, 404), {"artifact_file_path": "none.txt"}, {"model_id": "{model}"}
    ),
    "GET metrics": Door(ADMINS),
    "DELETE api:run-detail": Door(as_if(MANAGERS, 204), at=_RUN),
}

VIEW_DOORS = ACCOUNT_PAGES | NOTIFICATION_PAGES | EXPERIMENT_PAGES | MODEL_PAGES | APPROVAL_PAGES | API
VIEW_DOORS |= NOTIFICATION_API | REGISTRY_API | PROJECTS_API | PROJECT_PAGES | SECRET_DOORS
VIEW_DOORS |= SCHEDULE_DOORS | BUILD_DOORS | CALLER_DOORS | DEPLOYMENTS_API
VIEW_DOORS |= DEPLOYMENT_PAGES
VIEW_DOORS |= WORKERS_API | WORKERS_PAGES

# Names without a line above, and why.
OPEN_OR_ELSEWHERE = {
    "health": "open",
    "live": "open",
    "ready": "open",
    "version": "open",
    "account_login": "open",
    "account_logout": "open",
    "account_reset_password": "open",
    "sign_in_to_provider": "open",
    "sign_in_from_provider": "open",
    "sign_in_by_link": "open",
    "experiments:run_raw": "tests of previews: a file has to be there",
    "experiments:logged_model_raw": "tests of previews: a file has to be there",
    "protocol": "the table of the protocol",
}
