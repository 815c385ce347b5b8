"""The API of the registry. The request is Ada's: without a policy maintainers decide, and readers may ask."""

from __future__ import annotations

from tests.doors import ADMINS, CREATORS, EDITORS, EVERYBODY, MANAGERS, READERS, Door, as_if

_MODEL = {"team": "forge", "name": "promoted"}
_VERSION = {**_MODEL, "number": "1"}
_ALIAS = {**_MODEL, "alias": "challenger"}
_ASKED = {"pk": "{request}"}
_SAID = {"pk": "{comment}"}
_STAGING = {"stage": "Staging", "reason": "x"}
_POLICY = {"pk": "{policy}"}
_GROUP = {"pk": "{group}"}
_OVERRIDE = {"pk": "{override}"}
_TEAM_ADMINS = (404, 403, 403, 403, 200)
_NEW_POLICY = {"stage": "Staging", "team": "forge"}

REGISTRY_API = {
    "GET api:models-list": Door(EVERYBODY),
    "POST api:models-list": Door(as_if(CREATORS, 201), {"name": "fresh"}),
    "GET api:model-detail": Door(READERS, at=_MODEL),
    "PATCH api:model-detail": Door(EDITORS, {"description": "x"}, _MODEL),
    "DELETE api:model-detail": Door(as_if(MANAGERS, 204), at=_MODEL),
    # Nothing was in Staging before, so there is nothing to go back to.
    "POST api:model-rollback": Door(as_if(READERS, 409), _STAGING, _MODEL),
    "GET api:model-alias-list": Door(READERS, at=_MODEL),
    "PUT api:model-alias-detail": Door(EDITORS, {"version": 1}, _ALIAS),
    "DELETE api:model-alias-detail": Door(as_if(EDITORS, 204), at=_ALIAS),
    "GET api:model-version-list": Door(READERS, at=_MODEL),
    "POST api:model-version-list": Door(as_if(EDITORS, 201), {"source": "runs:/{run}/model"}, _MODEL),
    "GET api:model-version-detail": Door(READERS, at=_VERSION),
    "PATCH api:model-version-detail": Door(EDITORS, {"description": "x"}, _VERSION),
    "DELETE api:model-version-detail": Door(as_if(EDITORS, 204), at=_VERSION),
    "POST api:model-version-stage": Door((404, 403, 403, 200, 200), {"stage": "Staging"}, _VERSION),
    "POST api:model-version-requests": Door(as_if(READERS, 201), {"stage": "Staging"}, _VERSION),
    "GET api:model-version-lineage": Door(READERS, at=_VERSION),
    "GET api:model-version-comment-list": Door(READERS, at=_VERSION),
    "POST api:model-version-comment-list": Door(as_if(READERS, 201), {"text": "x"}, _VERSION),
    "GET api:model-version-check-list": Door(READERS, at=_VERSION),
    "POST api:model-version-check-list": Door(as_if(EDITORS, 201), {"name": "tests", "state": "passed"}, _VERSION),
    "GET api:gate-list": Door(EVERYBODY),
    "PATCH api:comment-detail": Door((404, 403, 403, 403, 403), {"text": "x"}, _SAID),
    "DELETE api:comment-detail": Door((404, 403, 403, 403, 204), at=_SAID),
    "GET api:promotion-request-list": Door(EVERYBODY),
    "GET api:promotion-request-detail": Door(READERS, at=_ASKED),
    "POST api:promotion-request-approve": Door((404, 403, 403, 200, 200), at=_ASKED),
    "POST api:promotion-request-reject": Door((404, 403, 403, 200, 200), at=_ASKED),
    "POST api:promotion-request-cancel": Door((404, 403, 403, 403, 200), at=_ASKED),
    "GET api:policy-list": Door(EVERYBODY),
    "POST api:policy-list": Door(as_if(_TEAM_ADMINS, 201), _NEW_POLICY),
    "GET api:policy-detail": Door(EVERYBODY, at=_POLICY),
    "DELETE api:policy-detail": Door(as_if(ADMINS, 204), at=_POLICY),
    "GET api:approver-group-list": Door(EVERYBODY),
    "POST api:approver-group-list": Door(as_if(_TEAM_ADMINS, 201), {"name": "x", "team": "forge"}),
    "GET api:approver-group-detail": Door(READERS, at=_GROUP),
    "PATCH api:approver-group-detail": Door(_TEAM_ADMINS, {"description": "x"}, _GROUP),
    "DELETE api:approver-group-detail": Door(as_if(_TEAM_ADMINS, 204), at=_GROUP),
    "GET api:placement-list": Door(READERS, {"team": "forge", "name": "promoted"}),
    "GET api:override-list": Door(EVERYBODY),
    "GET api:override-detail": Door((404, 404, 404, 404, 200), at=_OVERRIDE),
    "POST api:override-review": Door((404, 404, 404, 404, 200), {"review": "x"}, _OVERRIDE),
}
