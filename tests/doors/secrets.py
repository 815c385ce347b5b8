"""Secrets of teams. `S3_KEY` is one of the team forge; the API speaks for one's own team, which has no such secret at
sea: there Root, who administers the site, is told so."""

from __future__ import annotations

from tests.doors import EVERYBODY, Door

_FORGE = {"team": "forge"}
_KEY = {"team": "forge", "name": "S3_KEY"}

SECRET_DOORS = {
    "GET projects:secrets": Door(EVERYBODY),
    "GET projects:secret_new": Door((404, 403, 403, 200, 200), at=_FORGE),
    "POST projects:secret_new": Door((404, 403, 403, 302, 302), {"name": "FRESH", "value": "x"}, _FORGE),
    "GET projects:secret_replace": Door((404, 403, 403, 200, 200), at=_KEY),
    "POST projects:secret_replace": Door((404, 403, 403, 302, 302), {"value": "other"}, _KEY),
    "POST projects:secret_delete": Door((404, 403, 403, 302, 302), at=_KEY),
    "GET api:secret-list": Door(EVERYBODY),
    "PUT api:secret-detail": Door((403, 403, 403, 201, 201), {"value": "x"}, {"name": "FRESH"}),
    "DELETE api:secret-detail": Door((403, 403, 403, 204, 404), at={"name": "S3_KEY"}),
}
