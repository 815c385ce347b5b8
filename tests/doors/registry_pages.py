"""Pages of models and versions. The model is `classifier` of Ada's team, with its version 1."""

from __future__ import annotations

from tests.doors import CREATORS, EDITORS, EVERYBODY, MANAGERS, READERS, Door, as_if

_MODEL = {"team": "forge", "name": "classifier"}
_VERSION = {**_MODEL, "number": "1"}
_COMMENT = {"comment_id": "{comment}"}

MODEL_PAGES = {
    "GET registry:models": Door(EVERYBODY),
    "GET registry:model_new": Door(EVERYBODY),
    "POST registry:model_new": Door(as_if(CREATORS, 302), {"name": "fresh"}),
    "GET registry:register": Door(READERS, {"run": "{run}"}),
    "GET registry:registered_from": Door(READERS, {"run": "{run}"}),
    "GET registry:prompts": Door(EVERYBODY),
    "GET registry:prompt_new": Door(EVERYBODY),
    "POST registry:prompt_new": Door(as_if(CREATORS, 302), {"name": "fresh", "template": "x"}),
    # The model is no prompt.
    "GET registry:prompt": Door(as_if(READERS, 302), at=_MODEL),
    "GET registry:prompt_write": Door((404, 403, 404, 404, 404), at=_MODEL),
    # By name: Root speaks for another team.
    "GET registry:model_find": Door((404, 302, 302, 302, 404), {"name": "classifier"}),
    "GET registry:model_by_id": Door(as_if(READERS, 302), at={"model_id": "{registered}"}),
    "GET registry:version_by_id": Door(as_if(READERS, 302), at={"version_id": "{version}"}),
    "GET registry:model_edit": Door(EDITORS, at=_MODEL),
    "GET registry:model_tag": Door(EDITORS, at=_MODEL),
    "POST registry:model_tag": Door(as_if(EDITORS, 302), {"key": "kind", "value": "x"}, _MODEL),
    "GET registry:model_delete": Door(MANAGERS, at=_MODEL),
    "POST registry:model_delete": Door(as_if(MANAGERS, 302), at=_MODEL),
    "GET registry:model": Door(READERS, at=_MODEL),
    "GET registry:model_activity": Door(READERS, at=_MODEL),
    "GET registry:compare": Door(READERS, {"versions": ["1", "1"]}, _MODEL),
    "GET registry:version": Door(READERS, at=_VERSION),
    # A version whose source names no files.
    "GET registry:version_files": Door(READERS, at=_VERSION),
    "GET registry:version_raw": Door((404, 404, 404, 404, 404), {"path": "MLmodel"}, _VERSION),
    "GET registry:version_lineage": Door(READERS, at=_VERSION),
    "GET registry:version_discussion": Door(READERS, at=_VERSION),
    "POST registry:version_discussion": Door(as_if(READERS, 302), {"text": "x"}, _VERSION),
    # Ada's own words.
    "GET registry:comment_edit": Door((404, 403, 403, 403, 403), at=_COMMENT),
    "POST registry:comment_edit": Door((404, 403, 403, 403, 403), {"text": "x"}, _COMMENT),
    "GET registry:comment_delete": Door((404, 403, 403, 403, 200), at=_COMMENT),
    "POST registry:comment_delete": Door((404, 403, 403, 403, 302), at=_COMMENT),
    "GET registry:version_activity": Door(READERS, at=_VERSION),
    "GET registry:version_describe": Door(EDITORS, at=_VERSION),
    "POST registry:version_describe": Door(as_if(EDITORS, 302), {"description": "x"}, _VERSION),
    "GET registry:version_tag": Door(EDITORS, at=_VERSION),
    "GET registry:version_delete": Door(EDITORS, at=_VERSION),
    "POST registry:version_delete": Door(as_if(EDITORS, 302), at=_VERSION),
}
