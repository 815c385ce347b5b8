"""Databricks' transition requests: asking that a version enter a stage, and deciding on it.

Their calls name no request: it is the one about (name, version, stage), the oldest first that waits for the caller.
Ours may say `request_id`, and `round`, beyond which a decision doesn't hold.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Case, Exists, OuterRef, QuerySet, When

from apps.core.actor import Actor, Scope
from apps.core.errors import NotFound
from apps.core.mlflow.paging import MOST, next_page, page_of
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request
from apps.registry import access, actions
from apps.registry.mlflow.databricks_shapes import cancelled, decided, open_requests, transition_request
from apps.registry.models import Decision, ModelVersion, PromotionRequest
from apps.registry.stages import Slot, SlotKind


class OfVersion(Request):
    required: ClassVar[tuple[str, ...]] = ("name", "version")
    name: str = ""
    version: str | int = ""


class ListRequests(OfVersion):
    max_results: Int64 = MOST
    page_token: str = ""


class OfStage(OfVersion):
    required: ClassVar[tuple[str, ...]] = ("name", "version", "stage")
    stage: str = ""
    comment: str = ""


class Approve(OfStage):
    required: ClassVar[tuple[str, ...]] = ("name", "version", "stage", "archive_existing_versions")
    archive_existing_versions: bool | None = None
    request_id: Int64 = 0
    round: Int64 | None = None


class Reject(OfStage):
    request_id: Int64 = 0
    round: Int64 | None = None


class Cancel(OfStage):
    required: ClassVar[tuple[str, ...]] = ("name", "version", "stage", "creator")
    creator: str = ""


@endpoint(Scope.REGISTRY, reads=True)
def list_transition_requests(actor: Actor, request: ListRequests) -> Any:
    version = access.get_version(actor, request.name, request.version)
    page = page_of(actor, requests_of(version), request.max_results, request.page_token, "requests", version.pk)
    return {"requests": open_requests(actor, page.items)} | next_page(page)


@endpoint(Scope.REGISTRY, by_runs=True)
def create_transition_request(actor: Actor, request: OfStage) -> Any:
    version = access.get_version(actor, request.name, request.version)
    made = actions.ask(actor, version=version, slot=Slot.stage(request.stage), comment=request.comment)
    return {"request": transition_request(actor, made)}


@endpoint(Scope.REGISTRY)
def approve_transition_request(actor: Actor, request: Approve) -> Any:
    found = _meant(actor, request, request.request_id)
    done = actions.approve_request(
        actor,
        request=found,
        comment=request.comment,
        round=request.round,
        archive_existing=request.archive_existing_versions,
    )
    return {"activity": decided(actor, done)}


@endpoint(Scope.REGISTRY)
def reject_transition_request(actor: Actor, request: Reject) -> Any:
    found = _meant(actor, request, request.request_id)
    done = actions.reject_request(actor, request=found, comment=request.comment, round=request.round)
    return {"activity": decided(actor, done)}


@endpoint(Scope.REGISTRY)
def delete_transition_request(actor: Actor, request: Cancel) -> Any:
    version = access.get_version(actor, request.name, request.version)
    of_creator = _of_stage(version, request.stage).filter(requester__username=request.creator)
    found = of_creator.order_by("created_ms", "pk").first()
    if found is None:
        raise _missing(request)
    found.version = version
    return {"activity": cancelled(actions.cancel_request(actor, request=found, comment=request.comment))}


def requests_of(version: ModelVersion) -> QuerySet[PromotionRequest]:
    """The open requests about a version's stage. Those about aliases have no word in this dialect."""
    found = PromotionRequest.objects.open().filter(version=version, slot_kind=SlotKind.STAGE)
    return found.select_related("requester")


def _of_stage(version: ModelVersion, stage: str) -> QuerySet[PromotionRequest]:
    return requests_of(version).filter(slot_name=Slot.stage(stage).name)


def _meant(actor: Actor, request: OfStage, request_id: int) -> PromotionRequest:
    """The request that a decision is about: the one named, else the oldest on which the caller hasn't said a word."""
    version = access.get_version(actor, request.name, request.version)
    found = _named(version, request, request_id) if request_id else _waiting(actor, version, request)
    if found is None:
        raise _missing(request)
    found.version = version
    return found


def _waiting(actor: Actor, version: ModelVersion, request: OfStage) -> PromotionRequest | None:
    said = Decision.objects.filter(request=OuterRef("pk"), round=OuterRef("round"), user=actor.user_id)
    own = Case(When(requester=actor.user_id, then=1), default=0)
    found = _of_stage(version, request.stage).annotate(said=Exists(said), own=own)
    return found.order_by("said", "own", "created_ms", "pk").first()


def _named(version: ModelVersion, request: OfStage, request_id: int) -> PromotionRequest | None:
    """Also one that has ended: deciding on it is a conflict, and not as if it had never been."""
    slot = Slot.stage(request.stage)
    found = PromotionRequest.objects.filter(version=version, slot_kind=slot.kind, slot_name=slot.name)
    return found.select_related("requester").filter(pk=request_id).first()


def _missing(request: OfStage) -> NotFound:
    stage = Slot.stage(request.stage).name
    named = f"(name={request.name}, version={request.version}, stage={stage})"
    return NotFound(f"No open transition request for {named} found")


ROUTES = [
    Route("GET", "2.0/mlflow/transition-requests/list", list_transition_requests),
    Route("POST", "2.0/mlflow/transition-requests/create", create_transition_request),
    Route("POST", "2.0/mlflow/transition-requests/approve", approve_transition_request),
    Route("POST", "2.0/mlflow/transition-requests/reject", reject_transition_request),
    Route("DELETE", "2.0/mlflow/transition-requests/delete", delete_transition_request),
]
