"""The API of projects. The project and its run are Ada's; the run waits in the queue."""

from __future__ import annotations

from tests.doors import EDITORS, EVERYBODY, MANAGERS, READERS, Door, as_if

_PROJECT = {"pk": "{project}"}
_RUN = {"pk": "{project_run}"}
_GIT = {"name": "fresh", "source_kind": "git", "source_uri": "https://203.0.113.9/x.git"}

PROJECTS_API = {
    "GET api:project-list": Door(EVERYBODY),
    # The address is none of the public internet.
    "POST api:project-list": Door((400, 403, 400, 400, 400), _GIT),
    "GET api:project-detail": Door(READERS, at=_PROJECT),
    "PATCH api:project-detail": Door(EDITORS, {"description": "x"}, _PROJECT),
    "DELETE api:project-detail": Door(as_if(MANAGERS, 409), at=_PROJECT),
    "POST api:project-read": Door(EDITORS, at=_PROJECT),
    # JSON is no zip.
    "POST api:project-archive-list": Door((415, 415, 415, 415, 415)),
    "GET api:project-run-list": Door(EVERYBODY),
    "POST api:project-run-list": Door(as_if(EDITORS, 201), {"project": "{project}"}),
    "GET api:project-run-detail": Door(READERS, at=_RUN),
    "POST api:project-run-cancel": Door(EDITORS, at=_RUN),
    "POST api:project-run-again": Door(as_if(EDITORS, 201), at=_RUN),
    "GET api:project-run-log": Door(READERS, at=_RUN),
}
