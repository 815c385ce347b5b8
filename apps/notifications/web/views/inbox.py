from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.http import ActorRequest, is_fragment, json_response
from apps.core.keys import parse_key
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.notifications import access, actions
from apps.notifications.models import Notification
from apps.notifications.selectors import unread_count

_PAGE_SIZE = 50


@signed_in
@methods("GET")
def inbox(request: ActorRequest) -> HttpResponse:
    """What one was told, newest first: what is unread, or with `?show=all` everything. htmx gets the lines alone."""
    own = Notification.objects.visible_to(request.actor)
    show = _show(request.GET.get("show", ""))
    found = own if show == "all" else own.unread()
    page = Paginator(found.select_related("team"), _PAGE_SIZE).get_page(request.GET.get("page"))
    waiting = unread_count(request.actor) if show == "all" else page.paginator.count
    newest = page.object_list[0].pk if page.object_list and page.number == 1 else None
    context = {"page": page, "show": show, "waiting": waiting, "newest": newest}
    template = "notifications/_lines.html" if is_fragment(request) else "notifications/inbox.html"
    return render(request, template, context)


@signed_in
@methods("GET")
def unread(request: ActorRequest) -> HttpResponse:
    """How many are unread, as the bell hears it over its WebSocket."""
    return json_response({"unread": unread_count(request.actor)})


@signed_in
@methods("POST")
def read(request: ActorRequest, pk: int) -> HttpResponse:
    """Mark a line as read; htmx gets it as it is now, and the bell its number."""
    line = access.get_notification(request.actor, pk)
    actions.read_notifications(request.actor, ids=[line.pk])
    if not is_fragment(request):
        return redirect(_inbox(request))
    line.refresh_from_db(fields=["read_at", "done_at"])
    response = render(request, "notifications/_line.html", {"line": line})
    response["HX-Trigger"] = f'{{"unread": {{"unread": {unread_count(request.actor)}}}}}'
    return response


@signed_in
@methods("POST")
def read_all(request: ActorRequest) -> HttpResponse:
    """Mark all lines as read, or those up to the newest that the page showed: what came meanwhile stays unread."""
    count = actions.read_notifications(request.actor, up_to=parse_key(request.POST.get("newest", "")))
    messages.success(request, _("All is read.") if count else _("Nothing was unread."))
    return redirect(_inbox(request))


def _show(wanted: str) -> str:
    return "all" if wanted == "all" else "unread"


def _inbox(request: ActorRequest) -> str:
    """The list that the form was in."""
    query = "?show=all" if _show(request.POST.get("show", "")) == "all" else ""
    return reverse("notifications:inbox") + query
