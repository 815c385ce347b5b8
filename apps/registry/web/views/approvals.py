"""The list of promotion requests, and a request with its evidence beside the buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import MENDABLE, REFUSED, done, methods
from apps.core.rules import signed_in
from apps.registry import access, actions, addresses
from apps.registry.models import PromotionRequest
from apps.registry.selectors import approvals
from apps.registry.selectors.requests import RequestPage, request_page
from apps.registry.web.approval_forms import DecisionForm
from apps.registry.web.common import refusals_in

_PAGE_SIZE = 50
# htmx ends its polling on this status.
_NO_MORE = 286
_TABS: dict[str, Callable[[Actor], QuerySet[PromotionRequest]]] = {
    "decide": approvals.to_decide,
    "asked": approvals.asked_by,
    "decided": approvals.decided_by,
    "all": approvals.all_for,
}


@signed_in
@methods("GET")
def approval_list(request: ActorRequest) -> HttpResponse:
    """Requests by tab: to decide, asked by oneself, decided by oneself, all that one may see."""
    tab = request.GET.get("tab", "")
    tab = tab if tab in _TABS else "decide"
    page = Paginator(_TABS[tab](request.actor), _PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"tab": tab, "page": page, "lines": approvals.lines_of(page.object_list)}
    if is_fragment(request):
        return render(request, "registry/_approval_list.html", context)
    context["waiting"] = page.paginator.count if tab == "decide" else approvals.count_to_decide(request.actor)
    return render(request, "registry/approval_list.html", context)


@signed_in
@methods("GET")
def approval_count(request: ActorRequest) -> HttpResponse:
    """How many requests wait for the reader: the number in the navigation, which asks for it by itself."""
    count = approvals.count_to_decide(request.actor)
    context = {"waiting": count, "most": approvals.MOST_COUNTED}
    # Without blanks around it, so that a place without a number stays empty.
    return HttpResponse(render_to_string("registry/_approval_count.html", context, request).strip())


@signed_in
@methods("GET")
def request_detail(request: ActorRequest, request_id: int) -> HttpResponse:
    """A request with its evidence; htmx gets the evidence alone, until the request has ended."""
    asked = access.get_request(request.actor, request_id)
    if not is_fragment(request):
        return render(request, "registry/request.html", _context(request, asked))
    seen = request.GET.get("round", "")
    context = _context(request, asked) | {
        "seen_round": int(seen) if seen.isdecimal() and len(seen) < 9 else asked.round
    }
    return render(request, "registry/_request.html", context, status=200 if asked.is_open else _NO_MORE)


@signed_in
@methods("POST")
def request_approve(request: ActorRequest, request_id: int) -> HttpResponse:
    """Say yes. What stands against it is shown beside the buttons."""
    return _decide(request, request_id, actions.approve_request, _("You approved."))


@signed_in
@methods("POST")
def request_reject(request: ActorRequest, request_id: int) -> HttpResponse:
    """Say no, which ends the request."""
    return _decide(request, request_id, actions.reject_request, _("You rejected it."))


@signed_in
@methods("POST")
def request_cancel(request: ActorRequest, request_id: int) -> HttpResponse:
    """Take one's request back."""
    asked = access.get_request(request.actor, request_id)
    try:
        actions.cancel_request(request.actor, request=asked)
        messages.success(request, _("The request is taken back."))
    except MENDABLE as error:
        messages.error(request, error.message)
    return redirect(addresses.request_url(asked))


def _decide(request: ActorRequest, request_id: int, action: Callable[..., PromotionRequest], said: str) -> HttpResponse:
    asked = access.get_request(request.actor, request_id)
    form = DecisionForm(asked, request.POST)
    if form.is_valid():
        data = form.cleaned_data
        if action is not actions.approve_request:
            data.pop("archive_existing", None)
        with refusals_in(form):
            action(request.actor, request=asked, **data)
            messages.success(request, said)
            return done(request, addresses.request_url(asked))
    # As it is now: a round may have begun while it was read.
    context = _context(request, access.get_request(request.actor, request_id), form)
    template = "_decision" if is_fragment(request) else "request"
    answer = render(request, f"registry/{template}.html", context, status=REFUSED)
    # What stands against it may be news: the evidence beside the buttons comes anew.
    answer["HX-Trigger"] = "refresh"
    return answer


def _context(request: ActorRequest, asked: PromotionRequest, form: DecisionForm | None = None) -> dict[str, Any]:
    page = request_page(request.actor, asked)
    crumbs = [(_("Approvals"), reverse("registry:approvals")), (f"{asked.version} → {asked.slot}", "")]
    context = {"asked": asked, "page": page, "crumbs": crumbs, "seen_round": asked.round, "diff_url": _diff_url(page)}
    return context | {"form": _renewed(form, asked)}


def _renewed(form: DecisionForm | None, asked: PromotionRequest) -> DecisionForm:
    """The form for the round of now. What was typed stays; a word that was refused is bound to what is shown next."""
    if form is None:
        return DecisionForm(asked, initial={"round": asked.round})
    renewed = DecisionForm(asked, dict(form.data.items()) | {"round": str(asked.round)})
    for field, errors in form.errors.items():
        for error in errors:
            renewed.add_error(None if field not in renewed.fields or field == "round" else field, error)
    return renewed


def _diff_url(page: RequestPage) -> str:
    other = page.beside.other
    if other is None:
        return ""
    version = page.request.version
    return f"{addresses.model_url(version.model)}compare/?versions={other.number}&versions={version.number}"
