"""Databricks' registry webhooks: of one model for who manages it, of a whole team for who administers it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from apps.accounts.kinds import Target
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Scope
from apps.core.errors import InvalidInput
from apps.core.mlflow.paging import next_page, page_of
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, invalid_value, missing_value
from apps.notifications import access, actions
from apps.notifications.access import Place
from apps.notifications.actions import HookChange
from apps.notifications.dialects import dialect_of
from apps.notifications.mlflow.webhooks import PAGE_SIZE, to_ms
from apps.notifications.models import Webhook, WebhookStatus
from apps.notifications.selectors import targets_of, webhooks_of

DIALECT = "databricks"
_WIDE_ONLY = "REGISTERED_MODEL_CREATED"


class HttpUrlSpec(msgspec.Struct):
    url: str = ""
    authorization: str | None = None
    secret: str | None = None
    enable_ssl_verification: bool | None = None


class JobSpec(msgspec.Struct):
    """`job_id`: a project's number or `team/name`, with `#entry_point` behind it where it isn't the usual one.

    The token is wanted as the protocol wants it, and neither used nor kept: the run is the webhook's owner's.
    """

    job_id: str = ""
    access_token: str = ""
    workspace_url: str = ""


class CreateRegistryWebhook(Request):
    events: list[str] = []
    model_name: str = ""
    description: str = ""
    status: str = ""
    http_url_spec: HttpUrlSpec | None = None
    job_spec: JobSpec | None = None


class ListRegistryWebhooks(Request):
    model_name: str = ""
    events: list[str] = []
    max_results: Int64 = 0
    page_token: str = ""


class NamedRegistryWebhook(Request):
    required = ("id",)
    id: str = ""


class UpdateRegistryWebhook(NamedRegistryWebhook):
    description: str | None = None
    events: list[str] = []
    status: str = ""
    http_url_spec: HttpUrlSpec | None = None
    job_spec: JobSpec | None = None


class TestRegistryWebhook(NamedRegistryWebhook):
    event: str = ""


@endpoint(Scope.REGISTRY)
def create_registry_webhook(actor: Actor, request: CreateRegistryWebhook) -> Any:
    if not request.events:
        raise missing_value("events")
    place = _place(actor, request.model_name)
    _check_job(request.job_spec, request.http_url_spec)
    if request.job_spec is None and (request.http_url_spec is None or not request.http_url_spec.url):
        raise missing_value("http_url_spec.url")
    _refuse_wide_events(request.events, is_wide=place.target is None)
    change = _change(request, description=request.description, status=_status(request.status))
    hook = actions.create_webhook(actor, place=place, dialect=DIALECT, change=change)
    return {"webhook": webhook_json(hook, targets_of([hook]))}


@endpoint(Scope.REGISTRY, reads=True)
def list_registry_webhooks(actor: Actor, request: ListRegistryWebhooks) -> Any:
    found = _listed(actor, request.model_name)
    for word in request.events:
        _known(word)
    if request.events:
        found = found.annotate(words=Cast("events", TextField())).filter(_any_of(request.events))
    list_of = ("registry-webhooks", request.model_name, sorted(request.events))
    page = page_of(actor, found, request.max_results or PAGE_SIZE, request.page_token, *list_of, newest_first=True)
    targets = targets_of(page.items)
    answer: dict[str, Any] = {"webhooks": [webhook_json(hook, targets) for hook in page.items]} if page.items else {}
    return answer | next_page(page)


@endpoint(Scope.REGISTRY)
def update_registry_webhook(actor: Actor, request: UpdateRegistryWebhook) -> Any:
    hook = access.get_webhook(actor, request.id, dialect=DIALECT)
    _check_job(request.job_spec, request.http_url_spec)
    _refuse_wide_events(request.events, is_wide=hook.object_id is None)
    change = _change(request, description=request.description, status=_status(request.status))
    hook = actions.change_webhook(actor, webhook=hook, change=change)
    return {"webhook": webhook_json(hook, targets_of([hook]))}


@endpoint(Scope.REGISTRY)
def delete_registry_webhook(actor: Actor, request: NamedRegistryWebhook) -> Any:
    actions.delete_webhook(actor, webhook=access.get_webhook(actor, request.id, dialect=DIALECT))
    return {}


@endpoint(Scope.REGISTRY)
def test_registry_webhook(actor: Actor, request: TestRegistryWebhook) -> Any:
    """Make a call with an example of the event, else of any of its own. The status is 0 where nothing answered."""
    hook = access.get_webhook(actor, request.id, dialect=DIALECT)
    word = request.event or random.choice(hook.events)  # noqa: S311
    sent = actions.send_test(actor, webhook=hook, word=word)
    status = sent.status or 0
    # The documentation names it both ways.
    return {"status_code": status, "status": status, "body": sent.answer if sent.status else sent.error}


def webhook_json(hook: Webhook, targets: Mapping[tuple[str, int], Target]) -> dict[str, Any]:
    """Databricks' shape. Secrets are never in it."""
    shown: dict[str, Any] = {
        "id": hook.uid.hex,
        "events": hook.events,
        "creation_timestamp": to_ms(hook.created_at),
        "last_updated_timestamp": to_ms(hook.changed_at),
        "description": hook.description,
        "status": hook.status,
    }
    if hook.job:
        behind = f"#{hook.job_entry_point}" if hook.job_entry_point else ""
        shown["job_spec"] = {"job_id": hook.job + behind}
    else:
        shown["http_url_spec"] = {"url": hook.url, "enable_ssl_verification": hook.verify_tls}
    if hook.object_id is not None and (target := targets.get((hook.kind, hook.object_id))):
        shown["model_name"] = target.reference
    return shown


def _place(actor: Actor, model_name: str) -> Place:
    if not model_name:
        return access.place_of_own_team(actor)
    return access.place_of_object(actor, ObjectKind.REGISTERED_MODEL, model_name)


def _listed(actor: Actor, model_name: str) -> QuerySet[Webhook]:
    """Those of a model, for who manages it; else those one manages in the team that the call speaks for."""
    if not model_name:
        return webhooks_of(actor).filter(dialect=DIALECT, team_id=actor.team_id or 0)
    target = _place(actor, model_name).target
    found = Webhook.objects.filter(dialect=DIALECT)
    return found.filter(kind=target.kind, object_id=target.object_id) if target else found.none()


def _any_of(words: Sequence[str]) -> Q:
    """Both databases show a list of words as text with the words in quotes."""
    wanted = Q()
    for word in set(words):
        wanted |= Q(words__contains=f'"{word}"')
    return wanted


def _known(word: str) -> None:
    if word not in dialect_of(DIALECT).words():
        raise invalid_value("events", word)


def _check_job(job: JobSpec | None, url: HttpUrlSpec | None) -> None:
    if job is None:
        return
    if url is not None:
        raise InvalidInput("Exactly one of http_url_spec and job_spec has to be given.")
    for name in ("job_id", "access_token"):
        if not getattr(job, name):
            raise missing_value(f"job_spec.{name}")
    if job.workspace_url.rstrip("/") not in ("", settings.LINK_URL.rstrip("/")):
        raise InvalidInput("job_spec.workspace_url: jobs are projects of this server; leave it out.")


def _refuse_wide_events(words: Sequence[str], *, is_wide: bool) -> None:
    for word in words:
        _known(word)
    if _WIDE_ONLY in words and not is_wide:
        raise InvalidInput(f"{_WIDE_ONLY} can only be asked for without a model_name.")


def _change(
    request: CreateRegistryWebhook | UpdateRegistryWebhook, *, description: str | None, status: WebhookStatus | None
) -> HookChange:
    spec = request.http_url_spec or HttpUrlSpec()
    job, _hash, entry_point = request.job_spec.job_id.partition("#") if request.job_spec else ("", "", "")
    return HookChange(
        job=job or None,
        job_entry_point=entry_point,
        description=description,
        url=spec.url or None,
        events=request.events or None,
        status=status,
        secret=spec.secret,
        authorization=spec.authorization,
        verify_tls=spec.enable_ssl_verification,
    )


def _status(text: str) -> WebhookStatus | None:
    if not text:
        return None
    if text not in WebhookStatus.values:
        raise invalid_value("status", text)
    return WebhookStatus(text)


ROUTES = [
    Route("POST", "2.0/mlflow/registry-webhooks/create", create_registry_webhook),
    Route("GET", "2.0/mlflow/registry-webhooks/list", list_registry_webhooks),
    Route("PATCH", "2.0/mlflow/registry-webhooks/update", update_registry_webhook),
    Route("DELETE", "2.0/mlflow/registry-webhooks/delete", delete_registry_webhook),
    Route("POST", "2.0/mlflow/registry-webhooks/test", test_registry_webhook),
]
