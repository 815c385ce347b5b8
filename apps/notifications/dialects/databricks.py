from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.notifications.dialects.base import JSON_HEADERS, Call, Dialect, Secrets, Telling, hmac_hex
from apps.notifications.hook_events import EXAMPLES

_STAGES = ("STAGING", "PRODUCTION", "ARCHIVED")
_PLAIN = {
    "registered_model.created": "REGISTERED_MODEL_CREATED",
    "model_version.created": "MODEL_VERSION_CREATED",
    "model_version_tag.set": "MODEL_VERSION_TAG_SET",
    "model_version.stage_changed": "MODEL_VERSION_TRANSITIONED_STAGE",
    "promotion_request.created": "TRANSITION_REQUEST_CREATED",
    "comment.created": "COMMENT_CREATED",
}
_BY_STAGE = {
    "model_version.stage_changed": "MODEL_VERSION_TRANSITIONED_TO_{stage}",
    "promotion_request.created": "TRANSITION_REQUEST_TO_{stage}_CREATED",
}
_NARROW = {
    pattern.format(stage=stage): (event, stage.capitalize())
    for event, pattern in _BY_STAGE.items()
    for stage in _STAGES
}
_NEUTRAL = {word: event for event, word in _PLAIN.items()}


class DatabricksDialect(Dialect):
    """Databricks' registry webhooks: a flat body whose `text` is for people, signed over the raw body."""

    code = "databricks"
    title = "Databricks"
    takes_authorization = True
    takes_jobs = True

    def words(self) -> Sequence[str]:
        return [*_PLAIN.values(), *_NARROW]

    def words_of(self, event: str, facts: Mapping[str, Any]) -> Sequence[str]:
        if event not in _PLAIN:
            return []
        stage = str(facts.get("to_stage") or "").upper()
        narrow = [_BY_STAGE[event].format(stage=stage)] if event in _BY_STAGE and stage in _STAGES else []
        return [*narrow, _PLAIN[event]]

    def example_of(self, word: str) -> tuple[str, Mapping[str, Any]]:
        if word in _NARROW:
            event, stage = _NARROW[word]
            return event, {"to_stage": stage}
        return _NEUTRAL[word], {}

    def payload(self, word: str, telling: Telling) -> dict[str, Any]:
        facts = telling.facts
        body: dict[str, Any] = {
            "event": word,
            "webhook_id": telling.webhook_uid.hex,
            "event_timestamp": int(telling.at.timestamp() * 1000),
            "model_name": facts.get("name", ""),
            "text": f"{telling.text} {telling.link}".strip(),
        }
        for name in ("version", "from_stage", "to_stage", "comment"):
            if facts.get(name) is not None and name in EXAMPLES[telling.event]:
                body[name] = facts[name]
        if telling.event == "model_version_tag.set":
            body["tags"] = [{"key": facts.get("key"), "value": facts.get("value")}]
        return body

    def call(self, url: str, payload: str, uid: UUID, now: datetime, secrets: Secrets) -> Call:
        headers = dict(JSON_HEADERS)
        if secrets.secret:
            headers["X-Databricks-Signature"] = hmac_hex(secrets.secret, payload.encode())
        if secrets.authorization:
            headers["Authorization"] = secrets.authorization
        return Call(url, headers, payload.encode())
