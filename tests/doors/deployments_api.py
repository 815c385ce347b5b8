"""The API of deployments. `iris` is Ada's, and serves its first revision.

Tokens of the scope `all` change deployments and those of `read` see them; one of `serve` calls what is deployed, at the
gateway, and reaches nothing here.
"""

from __future__ import annotations

from tests.doors import EDITORS, EVERYBODY, MANAGERS, READERS, Door, as_if

_AT = {"name": "iris"}
_REVISION = {"name": "iris", "number": "1"}
_VERSION = {"team": "forge", "name": "iris", "number": "1"}
_INSTANCE = {"name": "iris", "pk": "{instance}"}
_NEW = {"name": "fresh", "version": "1", "model": "iris", "model_team": "forge"}

DEPLOYMENTS_API = {
    "GET api:deployment-list": Door(EVERYBODY),
    # Cleo does not see the model, and Root makes one in the harbour.
    "POST api:deployment-list": Door(as_if(EDITORS, 201), _NEW),
    "GET api:deployment-hosts": Door(EVERYBODY),
    "GET api:deployment-detail": Door(READERS, at=_AT),
    "PATCH api:deployment-detail": Door(MANAGERS, {"follow_mode": "apply"}, _AT),
    "DELETE api:deployment-detail": Door(as_if(MANAGERS, 409), at=_AT),
    "POST api:deployment-deploy": Door(as_if(EDITORS, 201), {"config": {"workers": 2}}, _AT),
    "POST api:deployment-rollback": Door(as_if(EDITORS, 409), at=_AT),
    "POST api:deployment-retry": Door(as_if(EDITORS, 409), at=_AT),
    "POST api:deployment-shift": Door(EDITORS, {"weights": {"1": 100}}, _AT),
    "POST api:deployment-end-canary": Door(as_if(EDITORS, 409), at=_AT),
    "POST api:deployment-accept": Door(as_if(EDITORS, 409), at=_AT),
    "POST api:deployment-dismiss": Door(as_if(EDITORS, 409), at=_AT),
    "POST api:deployment-scale": Door(EDITORS, {"instances": 2}, _AT),
    "POST api:deployment-stop": Door(EDITORS, at=_AT),
    "POST api:deployment-start": Door(EDITORS, at=_AT),
    "GET api:deployment-traffic": Door(READERS, at=_AT),
    "GET api:deployment-revision-list": Door(READERS, at=_AT),
    # What it is of has no files in these tests; who may not see it gets no further.
    "GET api:revision-export-list": Door((404, 400, 400, 400, 400), at=_REVISION),
    "GET api:version-export-list": Door((404, 400, 400, 400, 400), at=_VERSION),
    "GET api:deployment-revision-detail": Door(READERS, at=_REVISION),
    "GET api:deployment-instance-list": Door(READERS, at=_AT),
    "GET api:deployment-instance-detail": Door(READERS, at=_INSTANCE),
    "GET api:deployment-instance-log": Door(READERS, at=_INSTANCE),
}
