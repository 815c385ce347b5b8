from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.access import get_account
from apps.accounts.kinds import Target, kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.core.errors import NotFound
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import REFUSED, errors_in, methods
from apps.core.rules import signed_in
from apps.notifications import access, actions
from apps.notifications.models import Subscription
from apps.notifications.selectors import choice_of, preferences_of, readable_targets
from apps.notifications.topics import known_topics
from apps.notifications.web.forms import CHOICES, ChoiceForm, PreferencesForm

_PAGE_SIZE = 50


@signed_in
@methods("GET", "POST")
def preferences(request: ActorRequest) -> HttpResponse:
    """When one gets mail, how much one hears of each topic, and the objects one follows or has muted."""
    form = PreferencesForm(preferences_of(request.actor), request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            actions.set_preferences(request.actor, mail=form.timing(), topics=form.topics())
            messages.success(request, _("Saved."))
            return redirect("notifications:preferences")
    context = {
        "form": form,
        "known": known_topics(),
        "address": get_account(request.actor, request.actor.username).email,
        **_followed(request),
    }
    return render(request, "notifications/preferences.html", context, status=REFUSED if form.errors else 200)


@signed_in
@methods("POST")
def unsubscribe(request: ActorRequest, pk: int) -> HttpResponse:
    """Hear of an object again as of any other, also of one that one may not read any more."""
    actions.end_subscription(request.actor, subscription=access.get_subscription(request.actor, pk))
    messages.success(request, _("You hear of it as of any other."))
    return redirect(reverse("notifications:preferences") + "#followed")


@signed_in
@methods("GET", "POST")
def subscription(request: ActorRequest, kind: str, reference: str) -> HttpResponse:
    """How much one wants to hear of an object: a menu for the object's own page, or a page of its own."""
    target = _find(request.actor, kind, reference)
    form = ChoiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.subscribe(request.actor, target=target, choice=form.chosen())
        if not is_fragment(request):
            messages.success(request, _("Saved."))
            return redirect(target.url or "notifications:preferences")
    context = {"target": target, "choice": choice_of(request.actor, target), "choices": CHOICES, "form": form}
    template = "notifications/_subscription.html" if is_fragment(request) else "notifications/subscription.html"
    context["came_back"] = request.method == "POST"
    return render(request, template, context, status=REFUSED if form.errors else 200)


def _find(actor: Actor, kind: str, reference: str) -> Target:
    if kind not in ObjectKind.values or "\x00" in reference:
        raise NotFound("Not found.")
    return kind_of(ObjectKind(kind)).find(actor, reference, Level.READ)


def _followed(request: ActorRequest) -> dict[str, Any]:
    own = Subscription.objects.visible_to(request.actor).order_by("-pk")
    page = Paginator(own, _PAGE_SIZE).get_page(request.GET.get("page"))
    targets = readable_targets(request.actor, page.object_list)
    return {"page": page, "followed": [(row, targets.get((row.kind, row.object_id))) for row in page]}
