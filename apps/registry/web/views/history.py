"""What was in a slot of a model, when, by whom and why; and going back to what was there before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, methods
from apps.core.rules import signed_in
from apps.registry import access, actions, addresses, deciding
from apps.registry.models import ModelVersion, Placement, PromotionRequest, RegisteredModel, RequestKind
from apps.registry.selectors.history import in_place_at, placements_of, previous, used_slots
from apps.registry.selectors.slots import parse_slot, slot_key, slot_preview
from apps.registry.stages import ACTIVE, Slot, Stage
from apps.registry.web.approval_forms import RollbackForm
from apps.registry.web.common import SLOT_PREVIEW, refusals_in
from apps.registry.web.views.models import frame

_PAGE_SIZE = 50
_DAY = timedelta(days=1)


@signed_in
@methods("GET")
def history(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """The intervals of a slot (`?slot=`, else Production); with `?at=` what was in place on a day or at a moment."""
    model = access.get_model_in(request.actor, team, name)
    slots = sorted(used_slots(model), key=lambda slot: slot.weight)
    slot = _chosen(request, slots)
    found = placements_of(request.actor, model, slot).select_related("request")
    page = Paginator(found, _PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = frame(request.actor, model) | {"tab": "history", "slot": slot, "page": page}
    context["slots"] = [(slot_key(each), each) for each in slots]
    context["may_go_back"] = slot in _slots_to_go_back(slots) and slot is not None and previous(model, slot) is not None
    context |= _in_place(request.actor, model, request.GET.get("at", ""))
    return render(request, "registry/history.html", context, status=400 if context["wrong"] else 200)


@signed_in
@methods("GET", "POST")
def roll_back(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Go back in a slot, with a reason: at once for those whom the policy lets, else as a request."""
    model = access.get_model_in(request.actor, team, name)
    slots = _slots_to_go_back(used_slots(model))
    slot = _chosen(request, slots)
    before = previous(model, slot) if slot else None
    if slot is None or before is None or before.version is None:
        lead = _("Nothing was there before, so there is nothing to go back to.")
        return dialog(request, None, title=_("Roll back"), lead=lead, back=addresses.model_url(model))
    form = RollbackForm(request.POST or None, initial={"to": before.number})
    if request.method == "POST" and form.is_valid():
        with refusals_in(form, "reason"):
            made = actions.roll_back(request.actor, model=model, slot=slot, **form.cleaned_data)
            return done(request, _after(request, made, model, slot))
    before.version.model = model
    return _rollback_dialog(request, form, before, before.version, slot)


def _rollback_dialog(
    request: ActorRequest, form: RollbackForm, before: Placement, version: ModelVersion, slot: Slot
) -> HttpResponse:
    preview = slot_preview(request.actor, version, slot, RequestKind.ROLLBACK)
    at_once = deciding.goes_back_at_once(request.actor, preview.rules, version.model)
    lead = _("%(slot)s of %(model)s goes back to version %(number)s.")
    shown = {"below": SLOT_PREVIEW, "preview": preview, "before": before, "at_once": at_once, "is_rollback": True}
    return dialog(
        request,
        form,
        title=_("Roll back %(slot)s") % {"slot": slot},
        lead=lead % {"slot": slot, "model": version.model.name, "number": before.number},
        submit=_("Roll back now") if at_once else _("Ask to roll back"),
        danger=at_once,
        action=request.get_full_path(),
        back=addresses.model_url(version.model),
        **shown,
    )


def _after(request: ActorRequest, made: PromotionRequest | Placement, model: RegisteredModel, slot: Slot) -> str:
    if isinstance(made, PromotionRequest):
        messages.success(request, _("The rollback waits for approval."))
        return addresses.request_url(made)
    said = {"slot": slot, "number": made.number}
    messages.success(request, _("%(slot)s is version %(number)s again.") % said)
    return f"{addresses.model_url(model)}history/?{urlencode({'slot': slot_key(slot)})}"


def _chosen(request: ActorRequest, slots: list[Slot]) -> Slot | None:
    """What the address names, else Production, else any."""
    wanted = (request.GET.get("slot", ""), slot_key(Slot.stage(Stage.PRODUCTION)))
    found = [slot for each in wanted if (slot := parse_slot(each, slots))]
    return next(iter([*found, *slots]), None)


def _slots_to_go_back(slots: list[Slot]) -> list[Slot]:
    return [slot for slot in slots if not slot.is_stage or Stage(slot.name) in ACTIVE]


def _in_place(actor: Actor, model: RegisteredModel, written: str) -> dict[str, Any]:
    """What was in each slot on a day, or at a moment; nothing unless it is asked for."""
    if not written:
        return {"at": "", "wrong": "", "in_place": None}
    try:
        start, end = _moment(written)
    except InvalidInput as error:
        return {"at": written[:50], "wrong": error.message, "in_place": None}
    rows = in_place_at(actor, model, _ms(start), _ms(end))
    return {"at": written, "wrong": "", "in_place": rows, "at_is_day": start != end}


def _moment(written: str) -> tuple[datetime, datetime]:
    """A day (its first and last moment) or a moment (twice), in UTC. Raises `InvalidInput`."""
    wrong = InvalidInput(_("Write a day as 2026-11-30, or a moment as 2026-11-30T09:15, in UTC."))
    try:
        day, moment = parse_date(written), parse_datetime(written)
    except ValueError as error:
        raise wrong from error
    if day is not None and len(written) <= len("2026-11-30"):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return start, start + _DAY - timedelta(milliseconds=1) if start.year < 9999 else start
    if moment is None:
        raise wrong
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment, moment


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
