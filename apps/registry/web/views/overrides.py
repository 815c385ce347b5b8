"""Who went past a policy, and who looked at it afterwards."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, methods
from apps.core.rules import signed_in
from apps.registry import access, actions
from apps.registry.models import Override
from apps.registry.web.approval_forms import ReviewForm
from apps.registry.web.common import refusals_in

_PAGE_SIZE = 50


@signed_in
@methods("GET")
def override_list(request: ActorRequest) -> HttpResponse:
    """Moves past a policy, for administrators of site and teams: those to be looked at, or with `?all=1` all."""
    found = Override.objects.visible_to(request.actor).select_related("team", "model__team")
    shows_all = request.GET.get("all") == "1"
    found = found.order_by("-made_ms", "-pk") if shows_all else found.reviewed(False).order_by("made_ms", "pk")
    page = Paginator(found, _PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "registry/override_list.html", {"page": page, "shows_all": shows_all})


@signed_in
@methods("GET", "POST")
def override_review(request: ActorRequest, override_id: int) -> HttpResponse:
    """Say what one thinks of a move past a policy, as somebody else than who made it."""
    override = access.get_override(request.actor, override_id)
    form = ReviewForm(request.POST or None)
    back = reverse("registry:overrides")
    if request.method == "POST" and form.is_valid():
        with refusals_in(form, "review"):
            actions.review_override(request.actor, override=override, review=form.cleaned_data["review"])
            return done(request, back)
    lead = _("%(who)s %(what)s, because: “%(why)s”")
    said = {"who": override.made_by, "what": override.text, "why": override.reason[:1000]}
    return dialog(request, form, title=_("Review"), submit=_("Reviewed"), lead=lead % said, back=back)
