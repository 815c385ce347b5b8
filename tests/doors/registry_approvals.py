"""Pages about promotion. Without a policy maintainers decide, and what others may not do is shown in place: 422."""

from __future__ import annotations

from tests.doors import ADMINS, EVERYBODY, READERS, Door, as_if

_ASKED = {"request_id": "{request}"}
_ROUND = {"round": "1"}
_MODEL = {"team": "forge", "name": "promoted"}
_VERSION = {**_MODEL, "number": "1"}
_POLICY = {"policy_id": "{policy}"}
_GROUP = {"group_id": "{group}"}
_OVERRIDE = {"override_id": "{override}"}
_CHAMPION = {**_MODEL, "alias": "champion"}

APPROVAL_PAGES = {
    "GET registry:approvals": Door(EVERYBODY),
    "GET registry:approval_count": Door(EVERYBODY),
    "GET registry:request": Door(READERS, at=_ASKED),
    "POST registry:request_approve": Door((404, 422, 422, 302, 302), _ROUND, _ASKED),
    "POST registry:request_reject": Door((404, 422, 422, 302, 302), _ROUND, _ASKED),
    "POST registry:request_cancel": Door((404, 403, 403, 403, 302), at=_ASKED),
    "GET registry:ask": Door(READERS, at=_VERSION),
    "POST registry:ask": Door((404, 302, 302, 302, 302), {"slot": "stage:Staging"}, _VERSION),
    "POST registry:move": Door((404, 422, 422, 302, 302), {"slot": "stage:Staging"}, _VERSION),
    "GET registry:history": Door(READERS, at=_MODEL),
    "GET registry:roll_back": Door(READERS, at=_MODEL),
    "GET registry:model_policies": Door(READERS, at=_MODEL),
    "GET registry:policies": Door(EVERYBODY),
    "GET registry:policy_new": Door((404, 403, 403, 403, 200), {"team": "forge"}),
    "GET registry:policy": Door(EVERYBODY, at=_POLICY),
    "POST registry:policy": Door(ADMINS, {"act": "preview"}, _POLICY),
    "POST registry:policy_delete": Door(as_if(ADMINS, 302), at=_POLICY),
    "GET registry:groups": Door(EVERYBODY),
    "POST registry:group_new": Door(as_if(ADMINS, 302), {"name": "experts"}),
    "POST registry:group": Door((404, 403, 403, 403, 302), {"name": "board", "members": "max"}, _GROUP),
    "POST registry:group_delete": Door((404, 403, 403, 403, 302), at=_GROUP),
    "GET registry:overrides": Door(EVERYBODY),
    "POST registry:override_review": Door((404, 404, 404, 404, 302), {"review": "fine"}, _OVERRIDE),
    "POST registry:set_alias": Door((404, 422, 302, 302, 302), {"alias": "champion", "number": "1"}, _MODEL),
    "POST registry:delete_alias": Door((404, 302, 302, 302, 302), {"reason": "x"}, _CHAMPION),
}
