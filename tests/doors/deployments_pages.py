"""Pages of deployments. The deployment is `iris` of Ada's team, whose first revision serves."""

from __future__ import annotations

from tests.doors import CREATORS, EDITORS, EVERYBODY, MANAGERS, READERS, Door, as_if

_IRIS = {"name": "iris"}
_FIRST = {**_IRIS, "number": "1"}
_OF_MODEL = {"model": "{registered}"}
# A form says why: 422. Posts that do one thing lead to the page that says whether it was done.
_POST: tuple[int, int, int, int, int] = (404, 403, 302, 302, 302)
_PORT = {"part": "port", "reach": "gateway"}

DEPLOYMENT_PAGES = {
    "GET deployments:deployments": Door(EVERYBODY),
    "GET deployments:on_home": Door(EVERYBODY),
    "GET deployments:hosts": Door(EVERYBODY),
    "GET deployments:export": Door(READERS, _OF_MODEL),
    # That of these tests names no files.
    "GET deployments:bundle": Door((404, 404, 404, 404, 404), {"version": "{version}", "kind": "docker"}),
    "GET deployments:of_version": Door(READERS, at={"version_id": "{version}"}),
    "GET deployments:deployment_new": Door(EDITORS, _OF_MODEL),
    # Nobody says of which model in a post: the page asks.
    "POST deployments:deployment_new": Door(CREATORS),
    "POST deployments:deployment_checks": Door((404, 404, 404, 404, 404)),
    "GET deployments:deployment": Door(READERS, at=_IRIS),
    "GET deployments:news": Door(READERS, at=_IRIS),
    "GET deployments:traffic": Door(READERS, at=_IRIS),
    "GET deployments:revisions": Door(READERS, at=_IRIS),
    "GET deployments:instances": Door(READERS, at=_IRIS),
    "GET deployments:logs": Door(READERS, at=_IRIS),
    "GET deployments:instance_log": Door(READERS, at={**_IRIS, "instance": "{instance}"}),
    "GET deployments:activity": Door(READERS, at=_IRIS),
    "GET deployments:settings": Door(READERS, at=_IRIS),
    "POST deployments:settings": Door((404, 403, 403, 302, 302), _PORT, _IRIS),
    "GET deployments:deploy": Door(EDITORS, at=_IRIS),
    "POST deployments:deploy": Door(_POST, {"version": "1"}, _IRIS),
    "GET deployments:roll_back": Door(EDITORS, at=_IRIS),
    # There is nothing to go back to.
    "POST deployments:roll_back": Door(EDITORS, at=_IRIS),
    "POST deployments:retry": Door(_POST, at=_FIRST),
    "POST deployments:shift": Door(_POST, {"canary": "1", "base": "1", "percent": "100"}, _IRIS),
    "GET deployments:promote": Door(EDITORS, at=_FIRST),
    "POST deployments:promote": Door(_POST, at=_FIRST),
    "POST deployments:end_canary": Door(_POST, at=_FIRST),
    "POST deployments:accept": Door(_POST, at=_IRIS),
    "POST deployments:dismiss": Door(_POST, at=_IRIS),
    "GET deployments:scale": Door(EDITORS, at=_IRIS),
    "POST deployments:scale": Door(_POST, {"instances": 2}, _IRIS),
    "GET deployments:stop": Door(EDITORS, at=_IRIS),
    "POST deployments:stop": Door(_POST, at=_IRIS),
    "POST deployments:start": Door(_POST, at=_IRIS),
    "GET deployments:delete": Door(MANAGERS, at=_IRIS),
    # It serves.
    "POST deployments:delete": Door(as_if(MANAGERS, 422), {"name": "iris"}, _IRIS),
}
