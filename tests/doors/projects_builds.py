"""Builds. The version is `classifier` 1 of Ada's team, whose source names no files, so nothing is built of it."""

from __future__ import annotations

from tests.doors import EVERYBODY, READERS, Door, as_if

_VERSION = {"team": "forge", "name": "classifier", "number": "1"}

BUILD_DOORS = {
    "GET projects:build": Door(READERS, at=_VERSION),
    # Whoever may build it is sent back with the reason.
    "POST projects:build": Door((404, 403, 302, 302, 302), at=_VERSION),
    "GET projects:build_by_id": Door(as_if(READERS, 302), at={"version_id": "{version}"}),
    "GET api:build-list": Door(EVERYBODY),
    "POST api:build-list": Door((404, 403, 400, 400, 400), {"team": "forge", "name": "classifier", "version": 1}),
    "GET api:build-detail": Door((404, 404, 404, 404, 404), at={"pk": "999999"}),
}
