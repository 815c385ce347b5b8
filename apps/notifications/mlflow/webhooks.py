"""MLflow's own webhooks: those of the team that the call speaks for, for whoever administers it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from apps.core.actor import Actor, Scope
from apps.core.errors import InvalidInput
from apps.core.mlflow.paging import next_page, page_of
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, invalid_value, missing_value
from apps.notifications import access, actions
from apps.notifications.actions import HookChange
from apps.notifications.dialects.mlflow import ACTIONS
from apps.notifications.models import DeliveryState, Webhook, WebhookStatus

DIALECT = "mlflow"
PAGE_SIZE = 100
_STATUSES = (WebhookStatus.ACTIVE, WebhookStatus.DISABLED)


class Event(msgspec.Struct):
    """One of the protocol's pairs, in capitals: `MODEL_VERSION`, `CREATED`."""

    entity: str = ""
    action: str = ""


class CreateWebhook(Request):
    required = ("name", "url")
    name: str = ""
    url: str = ""
    events: list[Event] | None = None
    description: str = ""
    secret: str = ""
    status: str = ""


class ListWebhooks(Request):
    max_results: Int64 = 0
    page_token: str = ""


class NamedWebhook(Request):
    webhook_id: str = ""


class UpdateWebhook(NamedWebhook):
    name: str = ""
    url: str = ""
    events: list[Event] = []
    description: str | None = None
    secret: str | None = None
    status: str = ""


class TestWebhook(NamedWebhook):
    event: Event | None = None


@endpoint(Scope.REGISTRY)
def create_webhook(actor: Actor, request: CreateWebhook) -> Any:
    if request.events is None:
        raise missing_value("events")
    place = access.place_of_own_team(actor)
    change = HookChange(
        name=request.name,
        url=request.url,
        events=_words(request.events),
        description=request.description,
        secret=request.secret,
        status=_status(request.status),
    )
    hook = actions.create_webhook(actor, place=place, dialect=DIALECT, change=change)
    return {"webhook": webhook_json(hook)}


@endpoint(Scope.REGISTRY, reads=True)
def list_webhooks(actor: Actor, request: ListWebhooks) -> Any:
    place = access.place_of_own_team(actor)
    found = Webhook.objects.filter(team_id=place.team_id or 0, object_id__isnull=True, dialect=DIALECT)
    size = request.max_results or PAGE_SIZE
    page = page_of(actor, found, size, request.page_token, "webhooks", newest_first=True)
    answer: dict[str, Any] = {"webhooks": [webhook_json(hook) for hook in page.items]} if page.items else {}
    return answer | next_page(page)


@endpoint(Scope.REGISTRY, reads=True)
def get_webhook(actor: Actor, request: NamedWebhook) -> Any:
    return {"webhook": webhook_json(_fetch(actor, request))}


@endpoint(Scope.REGISTRY)
def update_webhook(actor: Actor, request: UpdateWebhook) -> Any:
    hook = _fetch(actor, request)
    change = HookChange(
        name=request.name or None,
        url=request.url or None,
        events=_words(request.events) if request.events else None,
        description=request.description,
        secret=request.secret,
        status=_status(request.status),
    )
    return {"webhook": webhook_json(actions.change_webhook(actor, webhook=hook, change=change))}


@endpoint(Scope.REGISTRY)
def delete_webhook(actor: Actor, request: NamedWebhook) -> Any:
    actions.delete_webhook(actor, webhook=_fetch(actor, request))
    return {}


@endpoint(Scope.REGISTRY)
def test_webhook(actor: Actor, request: TestWebhook) -> Any:
    """Make a call with an example now; what came of it is the answer, whatever it was."""
    hook = _fetch(actor, request)
    words = _words([request.event]) if request.event else [""]
    sent = actions.send_test(actor, webhook=hook, word=words[0])
    result: dict[str, Any] = {"success": sent.state == DeliveryState.DELIVERED}
    if sent.status is None:
        return {"result": result | {"error_message": f"Failed to test webhook: {sent.error}"}}
    return {"result": result | {"response_status": sent.status, "response_body": sent.answer}}


def webhook_json(hook: Webhook) -> dict[str, Any]:
    """The protocol's shape. Secrets are never in it."""
    shown: dict[str, Any] = {
        "webhook_id": str(hook.uid),
        "name": hook.name,
        "url": hook.url,
        "events": [_pair(word) for word in hook.events],
        "description": hook.description,
        # The protocol has two of our three.
        "status": hook.status if hook.status in _STATUSES else WebhookStatus.DISABLED.value,
        "creation_timestamp": to_ms(hook.created_at),
        "last_updated_timestamp": to_ms(hook.changed_at),
    }
    return {name: value for name, value in shown.items() if value != ""}


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def _fetch(actor: Actor, request: NamedWebhook) -> Webhook:
    return access.get_webhook(actor, request.webhook_id, dialect=DIALECT)


def _pair(word: str) -> dict[str, str]:
    entity, action = word.split(".")
    return {"entity": entity.upper(), "action": action.upper()}


def _words(events: Sequence[Event]) -> list[str]:
    return [_word(place, event) for place, event in enumerate(events)]


def _word(place: int, event: Event) -> str:
    entity, action = event.entity.lower(), event.action.lower()
    if entity not in ACTIONS or event.entity != event.entity.upper():
        raise invalid_value(f"events[{place}].entity", event.entity)
    if action not in ACTIONS[entity]:
        valid = sorted(ACTIONS[entity])
        raise InvalidInput(f"Invalid action '{action[:50]}' for entity '{entity}'. Valid actions are: {valid}")
    return f"{entity}.{action}"


def _status(text: str) -> WebhookStatus | None:
    if not text:
        return None
    if text not in _STATUSES:
        raise invalid_value("status", text)
    return WebhookStatus(text)


ROUTES = [
    Route("POST", "2.0/mlflow/webhooks", create_webhook),
    Route("GET", "2.0/mlflow/webhooks", list_webhooks),
    Route("GET", "2.0/mlflow/webhooks/{webhook_id}", get_webhook),
    Route("PATCH", "2.0/mlflow/webhooks/{webhook_id}", update_webhook),
    Route("DELETE", "2.0/mlflow/webhooks/{webhook_id}", delete_webhook),
    Route("POST", "2.0/mlflow/webhooks/{webhook_id}/test", test_webhook),
]
