"""Requests, decisions and comments in Databricks' shapes, with what we add: ids, rounds, approvals and checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import F

from apps.core.actor import Actor
from apps.registry.actions.comments import is_author, may_delete_comment
from apps.registry.deciding import may_withdraw
from apps.registry.models import Comment, Decision, GateResult, PromotionRequest, RequestState
from apps.registry.policies import Rules
from apps.registry.selectors.approvals import to_decide

Json = dict[str, Any]


def activity(
    kind: str, *, key: str, user: str, at: int, comment: str = "", updated: int | None = None, **more: Any
) -> Json:
    """What somebody did with a version. `at` and `updated` are in milliseconds; empty values are left out."""
    shown = {
        "id": key,
        "activity_type": kind,
        "creation_timestamp": at,
        "last_updated_timestamp": at if updated is None else updated,
        "user_id": user,
        "comment": comment,
        **more,
    }
    return {name: value for name, value in shown.items() if value not in ("", None)}


def open_requests(actor: Actor, requests: Sequence[PromotionRequest]) -> list[Json]:
    """Open requests as activities: four statements, however many there are."""
    added = _additions(requests)
    decidable = set(to_decide(actor).filter(pk__in=[one.pk for one in requests]).values_list("pk", flat=True))
    return [_as_activity(one) | added[one.pk] | _actions(actor, one, decidable) for one in requests]


def transition_request(actor: Actor, request: PromotionRequest) -> Json:
    """One request, in the shape that asking answers with."""
    shown = {
        "creation_timestamp": request.created_ms,
        "user_id": request.requester_name,
        "comment": request.comment,
        "to_stage": request.slot_name,
    }
    decidable = set(to_decide(actor).filter(pk=request.pk).values_list("pk", flat=True))
    more = {"id": str(request.pk)} | _additions([request])[request.pk] | _actions(actor, request, decidable)
    return {name: value for name, value in shown.items() if value != ""} | more


def decided(actor: Actor, request: PromotionRequest) -> Json:
    """The actor's own word on a request, as the activity that approving and rejecting answer with."""
    word = Decision.objects.filter(request=request, user=actor.user_id).latest("pk")
    kind = "APPROVED_REQUEST" if word.approves else "REJECTED_REQUEST"
    shown = activity(
        kind,
        key=f"decision-{word.pk}",
        user=word.user_name,
        at=word.created_ms,
        comment=word.comment,
        from_stage=request.from_stage,
        to_stage=request.slot_name,
    )
    return shown | _additions([request])[request.pk]


def cancelled(request: PromotionRequest) -> Json:
    """That a request was taken back."""
    shown = activity(
        "CANCELLED_REQUEST",
        key=f"cancelled-{request.pk}",
        user=request.closed_by,
        at=request.closed_ms or request.created_ms,
        comment=request.closing_note,
        from_stage=request.from_stage,
        to_stage=request.slot_name,
    )
    return shown | {"request_id": str(request.pk), "state": request.state}


def comment_json(actor: Actor, comment: Comment) -> Json:
    """A comment that was fetched with its version and model, with what its viewer may do with it."""
    edits = ["EDIT_COMMENT"] if is_author(actor, comment) else []
    deletes = ["DELETE_COMMENT"] if may_delete_comment(actor, comment) else []
    return {
        "id": str(comment.pk),
        "user_id": comment.author_name,
        "comment": comment.text,
        "creation_timestamp": comment.created_ms,
        "last_updated_timestamp": comment.updated_ms,
        "available_actions": edits + deletes,
    }


def _as_activity(request: PromotionRequest) -> Json:
    return activity(
        "REQUESTED_TRANSITION",
        key=str(request.pk),
        user=request.requester_name,
        at=request.created_ms,
        comment=request.comment,
        from_stage=request.from_stage,
        to_stage=request.slot_name,
    )


def _actions(actor: Actor, request: PromotionRequest, decidable: Collection[int]) -> Json:
    decides = ["APPROVE_TRANSITION_REQUEST", "REJECT_TRANSITION_REQUEST"] if request.pk in decidable else []
    withdraws = ["CANCEL_TRANSITION_REQUEST"] if request.is_open and may_withdraw(actor, request) else []
    return {"available_actions": decides + withdraws}


def _additions(requests: Sequence[PromotionRequest]) -> dict[int, Json]:
    """What we add to each request, of its round. The values behind the checks are not for all readers of the model, so
    they are told by `/api/v1/promotion-requests/` and the page, which ask who may read the source run.
    """
    of_round = {"request__in": [one.pk for one in requests], "round": F("request__round")}
    words, checks = defaultdict(list), defaultdict(list)
    for word in Decision.objects.filter(**of_round, approves=True).order_by("pk"):
        said = {"user_id": word.user_name, "creation_timestamp": word.created_ms, "comment": word.comment}
        words[word.request_id].append(said)
    for gate in GateResult.objects.filter(**of_round).order_by("place"):
        checks[gate.request_id].append({"kind": gate.kind, "params": gate.params, "state": gate.state})
    return {
        one.pk: {
            "request_id": str(one.pk),
            "round": one.round,
            "state": RequestState(one.state).value,
            "required_approvals": Rules.from_json(one.rules).approvals,
            "approvals": words[one.pk],
            "checks": checks[one.pk],
        }
        for one in requests
    }
