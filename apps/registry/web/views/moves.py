"""The dialogs that bring a version somewhere: asking, moving at once, aliases. Each shows what the slot demands."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import dialog, done, methods
from apps.core.rules import signed_in
from apps.registry import access, actions, addresses
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.selectors.slots import Way, parse_slot, slot_key, slot_preview, slots_to_enter
from apps.registry.stages import Slot
from apps.registry.web.approval_forms import AliasForm, AskForm, MoveForm, ReasonForm, SlotForm
from apps.registry.web.common import SLOT_PREVIEW, refusals_in


@signed_in
@methods("GET", "POST")
def ask(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """Ask that the version enter a slot; with `?slot=` it is chosen, and htmx gets what it demands."""
    version = _version(request, team, name, number)
    slots = slots_to_enter(version, request.POST.get("slot") or request.GET.get("slot", ""))
    form = AskForm(slots, request.POST or None, initial={"slot": request.GET.get("slot", "")})
    if request.method == "POST" and form.is_valid():
        slot = form.chosen()
        with refusals_in(form, "slot"):
            asked = actions.ask(request.actor, version=version, slot=slot, comment=form.cleaned_data["comment"])
            return done(request, addresses.request_url(asked))
    title = _("Ask for %s") % version
    return _slot_dialog(request, form, version, slots, title=title, submit=_("Ask"), asks=True)


@signed_in
@methods("GET", "POST")
def move(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """Move the version to a stage at once, by right or past the policy with a reason."""
    version = _version(request, team, name, number)
    slots = [slot for slot in slots_to_enter(version) if slot.is_stage]
    form = MoveForm(slots, request.POST or None, initial={"slot": request.GET.get("slot", "")})
    if request.method == "POST" and form.is_valid():
        slot, data = form.chosen(), form.cleaned_data
        archives = data["archive_existing"] and slot.namesake is not None
        with refusals_in(form, "comment"):
            actions.move_version(
                request.actor, version=version, stage=slot.name, archive_existing=archives, comment=data["comment"]
            )
            messages.success(request, _("%(version)s is in %(slot)s now.") % {"version": version, "slot": slot})
            return done(request, addresses.version_url(version))
    return _slot_dialog(request, form, version, slots, title=_("Move %s") % version, submit=_("Move"), asks=False)


@signed_in
@methods("GET", "POST")
def set_alias(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Let an alias point at a version: a new one, or with `?alias=` one that there is."""
    model = access.get_model_in(request.actor, team, name)
    initial = {"alias": request.GET.get("alias", ""), "number": request.GET.get("number", "")}
    form = AliasForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        version = None
        with refusals_in(form, "alias"):
            version = access.version_of(model, access.parse_number(data["number"]))
            actions.set_alias(request.actor, model=model, alias=data["alias"], version=version, reason=data["reason"])
            messages.success(
                request, _("@%(alias)s points at %(version)s.") % {"alias": data["alias"], "version": version}
            )
            return done(request, addresses.version_url(version))
        if version is not None:
            _offer_to_ask(form, version)
    lead = _("Where a policy protects the alias one asks for it; some may go past the policy, with a reason.")
    return _alias_dialog(request, form, model, title=_("Set an alias"), submit=_("Set"), lead=lead)


@signed_in
@methods("GET", "POST")
def delete_alias(request: ActorRequest, team: str, name: str, alias: str) -> HttpResponse:
    """Remove an alias; where it is protected, past the policy with a reason."""
    model = access.get_model_in(request.actor, team, name)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form, "reason"):
            actions.delete_alias(request.actor, model=model, alias=alias, reason=form.cleaned_data["reason"])
            messages.success(request, _("The alias @%s is removed.") % alias)
            return done(request, addresses.model_url(model))
    lead = _("Clients that load the model by @%s find nothing then.") % alias
    title = _("Remove the alias @%s") % alias
    return _alias_dialog(request, form, model, title=title, submit=_("Remove"), lead=lead, danger=True)


def _alias_dialog(
    request: ActorRequest, form: AliasForm | ReasonForm, model: RegisteredModel, **texts: Any
) -> HttpResponse:
    return dialog(request, form, back=addresses.model_url(model), action=request.get_full_path(), **texts)


def _offer_to_ask(form: AliasForm, version: ModelVersion) -> None:
    """Below what an action refused: the dialog that asks for the same."""
    model = version.model
    place = reverse("registry:ask", args=[model.team.name, model.name, version.number])
    address = f"{place}?{urlencode({'slot': slot_key(Slot.alias(form['alias'].value()))})}"
    link = format_html('<a href="{0}" hx-get="{0}" hx-target="#dialog">{1}</a>', address, _("Ask for it instead"))
    form.add_error(None, link)


def _version(request: ActorRequest, team: str, name: str, number: int) -> ModelVersion:
    return access.version_of(access.get_model_in(request.actor, team, name), access.parse_number(number))


def _slot_dialog(
    request: ActorRequest, form: SlotForm, version: ModelVersion, slots: list[Slot], *, asks: bool, **texts: Any
) -> HttpResponse:
    slot = parse_slot(str(form["slot"].value() or ""), slots) or slots[0]
    form.initial["slot"] = slot_key(slot)
    preview = slot_preview(request.actor, version, slot)
    context = texts | {
        "preview": preview,
        "asks": asks,
        "other": _other_way(version, slot, preview.way, asks),
    }
    if is_fragment(request) and request.htmx.target == "dialog-below":
        return render(request, SLOT_PREVIEW, context)
    form.previewed(request.path)
    context |= {"below": SLOT_PREVIEW, "back": addresses.version_url(version)}
    context["danger"] = not asks and preview.way is Way.OVERRIDE
    # Only for its label: the action has the last word.
    form.fields["comment"].required = context["danger"]
    return dialog(request, form, **context)


def _other_way(version: ModelVersion, slot: Slot, way: Way, asks: bool) -> tuple[str, str] | None:
    """From asking to moving at once where the reader may, and back where they may not."""
    name = ("move" if slot.is_stage else "set_alias") if asks else "ask"
    if (way is Way.ASK) is asks:
        return None
    model = version.model
    place = [model.team.name, model.name, *([version.number] if name != "set_alias" else [])]
    named: dict[str, str | int] = (
        {"slot": slot_key(slot)} if name != "set_alias" else {"alias": slot.name, "number": version.number}
    )
    return (
        _("Do it at once") if asks else _("Ask instead")
    ), f"{reverse(f'registry:{name}', args=place)}?{urlencode(named)}"
