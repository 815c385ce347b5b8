from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.notifications.dialects.base import JSON_HEADERS, Call, Dialect, Secrets, Telling, hmac_base64, unix
from apps.notifications.hook_events import EXAMPLES

# What MLflow's own server tells; the rest of our events has no name there.
ACTIONS: Mapping[str, Sequence[str]] = {
    "registered_model": ("created",),
    "model_version": ("created",),
    "model_version_tag": ("set", "deleted"),
    "model_version_alias": ("created", "deleted"),
    "prompt": ("created",),
    "prompt_version": ("created",),
    "prompt_tag": ("set", "deleted"),
    "prompt_version_tag": ("set", "deleted"),
    "prompt_alias": ("created", "deleted"),
    # It can be asked for and never happens here.
    "budget_policy": ("exceeded",),
}


_OF_PROMPTS = ("mlflow.prompt.is_prompt", "mlflow.prompt.text", "_mlflow_prompt_type")


class MlflowDialect(Dialect):
    """`{entity, action, timestamp, data, workspace}`, signed as Standard Webhooks are, with MLflow's headers."""

    code = "mlflow"
    title = "MLflow"

    def words(self) -> Sequence[str]:
        return [f"{entity}.{action}" for entity, actions in ACTIONS.items() for action in actions]

    def payload(self, word: str, telling: Telling) -> dict[str, Any]:
        entity, action = word.split(".")
        data = {name: telling.facts.get(name) for name in EXAMPLES.get(word, {})}
        if "tags" in data:
            data["tags"] = _tags(data["tags"] or {}, entity)
        if entity in ("model_version", "prompt_version") and action == "created":
            # What is empty is null there, and of models and prompts it is empty.
            data |= {name: data.get(name) or None for name in ("run_id", "description", "template") if name in data}
        return {
            "entity": entity,
            "action": action,
            "timestamp": telling.at.isoformat(),
            "data": data,
            "workspace": telling.team,
        }

    def call(self, url: str, payload: str, uid: UUID, now: datetime, secrets: Secrets) -> Call:
        timestamp = unix(now)
        headers = {**JSON_HEADERS, "X-MLflow-Delivery-Id": str(uid), "X-MLflow-Timestamp": timestamp}
        if secrets.secret:
            signature = hmac_base64(secrets.secret.encode(), f"{uid}.{timestamp}.{payload}".encode())
            headers["X-MLflow-Signature"] = f"v1,{signature}"
        return Call(url, headers, payload.encode())


def _tags(tags: Mapping[str, str], entity: str) -> dict[str, str]:
    """Of prompts without the tags that the protocol makes prompts of."""
    hidden = _OF_PROMPTS if entity.startswith("prompt") else ()
    return {key: value for key, value in tags.items() if key not in hidden}
