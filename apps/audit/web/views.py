from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from apps.audit.codes import known_codes
from apps.audit.exports import export
from apps.audit.filters import filtered, used
from apps.audit.models import Event
from apps.audit.querysets import EventQuerySet
from apps.core.errors import InvalidInput
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import methods
from apps.core.rules import signed_in

_PAGE = 50


@methods("GET")
@signed_in
def event_list(request: ActorRequest) -> HttpResponse:
    """What happened, newest first; htmx gets the rows alone."""
    context: dict[str, Any] = {"filters": used(request.GET), "wrong": ""}
    try:
        events = filtered(Event.objects.visible_to(request.actor), request.GET)
        context |= _page(events, request.GET.get("before", ""))
    except InvalidInput as error:
        context |= {"events": [], "wrong": error.message}
    if is_fragment(request):
        return render(request, "audit/_event_list.html", context)
    context |= {"codes": sorted(known_codes().values(), key=lambda code: code.code)}
    return render(request, "audit/event_list.html", context, status=400 if context["wrong"] else 200)


@methods("GET")
@signed_in
def event_export(request: ActorRequest) -> HttpResponseBase:
    """The same events as a file, all of them."""
    events = filtered(Event.objects.visible_to(request.actor), request.GET)
    return export(events.with_sequence(), request.GET.get("format", "jsonl"))


def _page(events: EventQuerySet, before: str) -> dict[str, Any]:
    if before:
        if not before.isascii() or not before.isdigit() or len(before) > 18:
            raise InvalidInput("before: the id of an event is wanted.")
        events = events.filter(pk__lt=int(before))
    rows = list(events.with_sequence().order_by("-pk")[: _PAGE + 1])
    return {"events": rows[:_PAGE], "older": rows[_PAGE - 1].pk if len(rows) > _PAGE else None}
