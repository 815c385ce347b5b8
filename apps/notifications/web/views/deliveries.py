from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.notifications import access, actions
from apps.notifications.dialects import dialect_of
from apps.notifications.jobs import job_of
from apps.notifications.models import Delivery, DeliveryState
from apps.notifications.rights import firing
from apps.notifications.selectors import targets_of
from apps.notifications.web.event_words import in_order, title_of
from apps.notifications.web.views.webhooks import target_of

_PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Line:
    """A delivery as the log shows it: where it stands in a word, its tone, and its body laid out."""

    delivery: Delivery
    word: str
    tone: str
    body: str

    @property
    def body_id(self) -> str:
        """The element of the body, which is copied."""
        return f"body-{self.delivery.pk}"

    @property
    def may_go_again(self) -> bool:
        """Whether it is over, so that it can be sent anew."""
        return self.delivery.state != DeliveryState.PENDING


@signed_in
@methods("GET")
def webhook(request: ActorRequest, uid: UUID) -> HttpResponse:
    """A webhook and its log, newest first, of `?state=` alone where one is named. htmx gets the log alone."""
    hook = access.get_webhook(request.actor, str(uid))
    state = request.GET.get("state", "")
    found = hook.deliveries.filter(state=state) if state in DeliveryState.values else hook.deliveries.all()
    page = Paginator(found.order_by("-pk"), _PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"hook": hook, "state": state, "page": page, "lines": [_line(one) for one in page]}
    context["is_moving"] = page.number == 1 and any(_is_due(one) for one in page)
    if is_fragment(request):
        return render(request, "notifications/_deliveries.html", context)
    context |= {
        "target": target_of(hook, targets_of([hook])),
        "may_speak": bool(firing([hook])),
        "dialect": dialect_of(hook.dialect),
        "words": [(word, title_of(word)) for word in in_order(hook.events)],
        "states": [(value, _word_of(value)) for value in DeliveryState.values],
        "place": "/".join(hook.url.split("/")[:3]) + "/…",
        "job": job_of(hook),
    }
    return render(request, "notifications/webhook.html", context)


@signed_in
@methods("POST")
def redeliver(request: ActorRequest, pk: int) -> HttpResponse:
    """Send a finished delivery again."""
    delivery = access.get_delivery(request.actor, pk)
    actions.redeliver(request.actor, delivery=delivery)
    messages.success(request, _("It is sent again."))
    return redirect("notifications:webhook", uid=delivery.webhook.uid)


def _line(delivery: Delivery) -> Line:
    if delivery.state == DeliveryState.PENDING:
        tone, word = ("warn", _("failed, tried again")) if delivery.error else ("live", _("waiting"))
    else:
        tone, word = ("ok" if delivery.state == DeliveryState.DELIVERED else "bad"), _word_of(delivery.state)
    if delivery.is_test and delivery.state == DeliveryState.FAILED:
        word = _("failed")
    return Line(delivery, word, tone, _laid_out(delivery.payload))


def _word_of(state: str) -> str:
    words = {
        DeliveryState.PENDING.value: _("waiting"),
        DeliveryState.DELIVERED.value: _("delivered"),
        DeliveryState.FAILED.value: _("given up"),
    }
    return words.get(state, state)


def _is_due(delivery: Delivery) -> bool:
    """Whether it may change within seconds, so that the page looks again."""
    return delivery.state == DeliveryState.PENDING and delivery.next_at <= timezone.now()


def _laid_out(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return payload
