"""What happened to a version's stage, read from the audit log; a list that Databricks shows in its pages only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apps.audit.codes import EventCode
from apps.audit.models import Event
from apps.core.actor import Actor, Scope
from apps.core.mlflow.paging import next_page, page_of
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request
from apps.registry import access, events
from apps.registry.mlflow.databricks_shapes import Json, activity
from apps.registry.models import Comment
from apps.registry.stages import Stage

_KINDS: dict[str, str] = {
    code.code: kind
    for kind, codes in {
        "REQUESTED_TRANSITION": [events.REQUEST_MADE],
        "APPROVED_REQUEST": [events.REQUEST_APPROVED],
        "REJECTED_REQUEST": [events.REQUEST_REJECTED],
        "CANCELLED_REQUEST": [events.REQUEST_CANCELLED, events.REQUEST_EXPIRED, events.REQUEST_SUPERSEDED],
        "APPLIED_TRANSITION": [events.VERSION_MOVED],
        "SYSTEM_TRANSITION": [events.VERSION_ARCHIVED],
        "NEW_COMMENT": [events.COMMENT_ADDED],
    }.items()
    for code in codes
}
# What nobody did: the words of these events are the server's.
_BY_ITSELF: tuple[EventCode, ...] = (events.VERSION_ARCHIVED, events.REQUEST_EXPIRED, events.REQUEST_SUPERSEDED)
_COMMENTED = events.COMMENT_ADDED.code
_STAGES = {stage.value for stage in Stage}


class ListActivities(Request):
    required = ("name", "version")
    name: str = ""
    version: str | int = ""
    max_results: Int64 = 100
    page_token: str = ""


@endpoint(Scope.REGISTRY, reads=True)
def list_activities(actor: Actor, request: ListActivities) -> Any:
    version = access.get_version(actor, request.name, request.version)
    found = Event.objects.filter(object_kind="model_version", object_id=str(version.pk), code__in=_KINDS)
    page = page_of(actor, found, request.max_results, request.page_token, "activities", version.pk)
    texts = _texts(page.items)
    return {"activities": [_activity(event, texts) for event in page.items]} | next_page(page)


def _texts(found: Iterable[Event]) -> dict[int, str]:
    """What comments say now; the log keeps that there was one, and not the words of one that was deleted."""
    keys = [event.after["comment"] for event in found if event.code == _COMMENTED and event.after]
    return dict(Comment.objects.filter(pk__in=keys).values_list("pk", "text"))


def _activity(event: Event, texts: Mapping[int, str]) -> Json:
    before, after = event.before or {}, event.after or {}
    said = after.get("comment", "")
    said = texts.get(said, "") if event.code == _COMMENTED else str(said)
    by_itself = event.code in [code.code for code in _BY_ITSELF]
    return activity(
        _KINDS[event.code],
        key=f"event-{event.pk}",
        user=event.actor_name,
        at=int(event.created_at.timestamp() * 1000),
        comment="" if by_itself else said,
        system_comment=(said or event.note) if by_itself else "",
        from_stage=before.get("stage") or after.get("from_stage"),
        to_stage=after.get("stage") or (event.note if event.note in _STAGES else None),
        to_alias=event.note[1:] if event.note.startswith("@") else None,
        request_id=str(after["request"]) if "request" in after else None,
    )


ROUTES = [Route("GET", "2.0/mlflow/activities/list", list_activities)]
