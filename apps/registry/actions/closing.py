"""How requests end: each once, with an event and a word to who asked."""

from __future__ import annotations

from apps.audit.actions import record
from apps.audit.codes import EventCode
from apps.core.actor import Actor
from apps.registry import events, facts, telling
from apps.registry.actions.common import now_ms
from apps.registry.models import ModelVersion, PromotionRequest, RegisteredModel, RequestState
from apps.registry.stages import Slot
from apps.registry.subjects import version_subject

# Rivals that are told at once; who looks at others sees it anyway.
MAX_RIVALS = 50


def close(actor: Actor, request: PromotionRequest, state: RequestState, code: EventCode, *, note: str = "") -> None:
    """End a request that is locked and open, with the event of how."""
    request.state, request.closed_ms, request.closed_by = state, now_ms(), actor.username
    request.closing_note, request.stale_ms = note, None
    request.save(update_fields=["state", "closed_ms", "closed_by", "closing_note", "stale_ms"])
    after = {"request": request.pk, "state": state.value} | ({"comment": note} if note else {})
    record(actor, code, version_subject(request.version), after=after, note=str(request.slot))


def overtake(actor: Actor, version: ModelVersion, slot: Slot, *, by: PromotionRequest | None) -> None:
    """A version entered a slot: other requests for the same are superseded, and rivals for the slot are told.

    The gates of rivals go stale, since what they compare with is another version now.
    """
    for request in _open_for(version, slot, but=by):
        if request.version_id == version.pk:
            close(actor, request, RequestState.SUPERSEDED, events.REQUEST_SUPERSEDED, note="It is there already.")
            text = f"{version} is in {slot} by another way than your request"
            telling.tell_closed(actor, request, text)
        else:
            telling.tell_rival(actor, request, version)


def drop(actor: Actor, model: RegisteredModel, *, version: ModelVersion | None = None) -> None:
    """Tell of the open requests that vanish with a version, or with a whole model; no inbox waits for them then."""
    gone = PromotionRequest.objects.open().filter(version__model=model)
    gone = gone.filter(version=version) if version else gone
    for request in gone.select_related("version").order_by("pk"):
        request.version.model = model
        close(actor, request, RequestState.CANCELLED, events.REQUEST_CANCELLED, note="It was deleted.")
        telling.tell_closed(actor, request, f"{actor.username} deleted {request.version}; your request went with it")


def _open_for(version: ModelVersion, slot: Slot, *, but: PromotionRequest | None) -> list[PromotionRequest]:
    model = version.model
    found = PromotionRequest.objects.open().filter(version__model=model, slot_kind=slot.kind, slot_name=slot.name)
    found = found.exclude(pk=but.pk) if but else found
    if found.exclude(version=version).update(stale_ms=now_ms()):
        facts.judge_soon()
    same = list(found.filter(version=version).select_related("version").order_by("pk"))
    rivals = list(found.exclude(version=version).select_related("version").order_by("pk")[:MAX_RIVALS])
    for request in same + rivals:
        request.version.model = model
    return same + rivals
