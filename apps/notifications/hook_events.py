"""The neutral names of what webhooks tell, each with an example of its facts, which test calls send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_VERSION = {"name": "example_model", "version": "1"}
_PROMPT = {"name": "example_prompt"}
_PROMPT_VERSION = {"name": "example_prompt", "version": "1"}
_TAG = {"key": "example_key", "value": "example_value"}
_MADE = {"tags": {"example_key": "example_value"}}
_MOVE = {"from_stage": "Staging", "to_stage": "Production"}
_REQUEST = {**_VERSION, **_MOVE, "request_id": 1}

EXAMPLES: dict[str, Mapping[str, Any]] = {
    "registered_model.created": {"name": "example_model", **_MADE, "description": "An example registered model"},
    "model_version.created": {
        **_VERSION,
        "source": "models:/123",
        "run_id": "abcd1234abcd5678",
        **_MADE,
        "description": "An example model version",
    },
    "model_version_tag.set": {**_VERSION, **_TAG},
    "model_version_tag.deleted": {**_VERSION, "key": "example_key"},
    "model_version_alias.created": {"name": "example_model", "alias": "example_alias", "version": "1"},
    "model_version_alias.deleted": {"name": "example_model", "alias": "example_alias"},
    "model_version.stage_changed": {**_VERSION, **_MOVE, "comment": "An example comment"},
    "promotion_request.created": {**_REQUEST, "comment": "An example comment"},
    "promotion_request.approved": _REQUEST,
    "promotion_request.rejected": _REQUEST,
    "promotion_request.cancelled": _REQUEST,
    "promotion_request.expired": _REQUEST,
    "comment.created": {**_VERSION, "comment": "An example comment"},
    "project_run.ended": {
        "project": "example_project",
        "project_run_id": 1,
        "run_id": "abcd1234abcd5678",
        "entry_point": "main",
        "state": "finished",
        "exit_code": 0,
        "message": "",
    },
    "prompt.created": {**_PROMPT, **_MADE, "description": "An example prompt"},
    "prompt_version.created": {
        **_PROMPT_VERSION,
        "template": "Hello {{name}}!",
        **_MADE,
        "description": "An example prompt version",
    },
    "prompt_tag.set": {**_PROMPT, **_TAG},
    "prompt_tag.deleted": {**_PROMPT, "key": "example_key"},
    "prompt_version_tag.set": {**_PROMPT_VERSION, **_TAG},
    "prompt_version_tag.deleted": {**_PROMPT_VERSION, "key": "example_key"},
    "prompt_alias.created": {"name": "example_prompt", "alias": "example_alias", "version": "1"},
    "prompt_alias.deleted": {"name": "example_prompt", "alias": "example_alias"},
}
EVENTS = frozenset(EXAMPLES)
