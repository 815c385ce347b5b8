"""Webhooks of kind job: instead of calling a URL they start something here. An app says what can be started, and how.

An app calls `register_job_starter` when it is ready, so that none above this one is imported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import orjson

from apps.accounts.models import User
from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.notifications.models import Delivery, Webhook

# What a parameter of a run may hold, with room to spare.
MAX_EVENT = 5500
_LONGEST_WORDS = 400
_MOST_ITEMS = 30


@dataclass(frozen=True, slots=True)
class Job:
    """Something that can be started. `key` is what webhooks keep; `name` and `url` are for pages."""

    key: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as a job is told of it: `text` is the webhook's body as JSON, what is too long in it cut off."""

    word: str
    text: str
    model: str
    version: str
    stage: str


class JobStarter(Protocol):
    """What an app offers."""

    def find(self, actor: Actor, reference: str, entry_point: str) -> Job:
        """By key or `team/name`, with the right to start it. Raises `NotFound`, `PermissionDenied`, `InvalidInput`."""

    def start(self, owner: User | None, key: str, entry_point: str, happened: Happened, uid: UUID) -> dict[str, Any]:
        """Start it as its owner, once for each `uid`; what came of it, as JSON. Raises `DomainError`."""

    def named(self, keys: Collection[str]) -> Mapping[str, Job]:
        """Those that are still there."""

    def offered(self, actor: Actor) -> list[Job]:
        """Those that the actor may start, for a form to choose from."""


_STARTERS: list[JobStarter] = []


def register_job_starter(starter: JobStarter) -> None:
    """Let webhooks start what an app has; the last one that says so counts."""
    _STARTERS[:] = [starter]


def job_starter() -> JobStarter:
    """Raises `InvalidInput` where nothing can be started."""
    if not _STARTERS:
        raise InvalidInput("There is nothing on this server that a webhook could start.")
    return _STARTERS[0]


def start_job(delivery: Delivery) -> bytes:
    """Start what a delivery's webhook starts; what came of it, as JSON. Raises `DomainError`."""
    hook = delivery.webhook
    made = job_starter().start(hook.owner, hook.job, hook.job_entry_point, happened(delivery), delivery.uid)
    return orjson.dumps(made)


def job_of(hook: Webhook) -> Job | None:
    """What it starts, for pages; None where that is gone."""
    return job_starter().named([hook.job]).get(hook.job) if hook.job and _STARTERS else None


def happened(delivery: Delivery) -> Happened:
    """What a delivery tells, for a job."""
    body: dict[str, Any] = orjson.loads(delivery.payload)
    data = body.get("data")
    facts: dict[str, Any] = data if isinstance(data, dict) else body
    said = {name: str(facts.get(name) or "") for name in ("name", "model_name", "version", "to_stage")}
    model = said["name"] or said["model_name"]
    return Happened(delivery.event, _text(body), model, said["version"], said["to_stage"])


def _text(body: Mapping[str, Any]) -> str:
    """The body as JSON that a parameter can hold."""
    whole = orjson.dumps(body).decode()
    if len(whole) <= MAX_EVENT:
        return whole
    cut = orjson.dumps(_cut(body)).decode()
    if len(cut) <= MAX_EVENT:
        return cut
    plain = {name: value for name, value in body.items() if isinstance(value, (str, int)) and len(str(value)) < 200}
    return orjson.dumps(plain).decode()[:MAX_EVENT]


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_WORDS else value[:_LONGEST_WORDS] + "…"
    if isinstance(value, Mapping):
        return {name: _cut(item) for name, item in list(value.items())[:_MOST_ITEMS]}
    return [_cut(item) for item in value[:_MOST_ITEMS]] if isinstance(value, list) else value
