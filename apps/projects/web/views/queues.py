"""Queues, and what teams may have of the workers. Everybody may look; administrators change them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.access import find_team
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import admins_only, signed_in
from apps.projects import access, actions
from apps.projects.models import Quota
from apps.projects.selectors.quotas import quota_rows
from apps.projects.selectors.workers import queue_rows
from apps.projects.web.forms import ConfirmForm
from apps.projects.web.queue_forms import NewQueueForm, QueueForm, QuotaForm

_MB = 1024 * 1024


@signed_in
@methods("GET")
def queue_list(request: ActorRequest) -> HttpResponse:
    """How many runs wait and go on where, who serves them, and for administrators the quotas of teams."""
    context = {"rows": queue_rows(), "quotas": quota_rows() if request.actor.is_admin else []}
    template = "_queue_table" if is_fragment(request) else "queue_list"
    return render(request, f"projects/{template}.html", context)


@admins_only
@methods("GET", "POST")
def queue_new(request: ActorRequest) -> HttpResponse:
    """Make a queue."""
    form = NewQueueForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "name"):
            actions.create_queue(request.actor, **form.cleaned_data)
            return done(request, reverse("projects:queues"))
    return dialog(request, form, title=_("New queue"), submit=_("Create"), back=reverse("projects:queues"))


@admins_only
@methods("GET", "POST")
def queue_edit(request: ActorRequest, name: str) -> HttpResponse:
    """Change a queue."""
    queue = access.get_queue(request.actor, name)
    initial = {"description": queue.description, "max_running": queue.max_running}
    form = QueueForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            actions.change_queue(request.actor, queue=queue, **form.cleaned_data)
            return done(request, reverse("projects:queues"))
    title = _("The queue %s") % queue.name
    return dialog(request, form, title=title, submit=_("Save"), back=reverse("projects:queues"))


@admins_only
@methods("POST")
def queue_pause(request: ActorRequest, name: str) -> HttpResponse:
    """Take nothing from it any more, or again."""
    queue = access.get_queue(request.actor, name)
    paused = request.POST.get("paused") == "yes"
    actions.change_queue(request.actor, queue=queue, is_paused=paused)
    said = _("The queue %s is paused; what runs goes on.") if paused else _("The queue %s goes on.")
    messages.success(request, said % queue.name)
    return redirect("projects:queues")


@admins_only
@methods("GET", "POST")
def queue_delete(request: ActorRequest, name: str) -> HttpResponse:
    """Remove a queue that nothing needs."""
    queue = access.get_queue(request.actor, name)
    back = reverse("projects:queues")
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            actions.delete_queue(request.actor, queue=queue)
            messages.success(request, _("The queue %s is deleted.") % name)
            return done(request, back)
    title = _("Delete the queue %s?") % name
    lead = _("Only one in which nothing waits or goes on, and where no project starts its runs.")
    return dialog(request, form, title=title, submit=_("Delete"), back=back, danger=True, lead=lead)


@admins_only
@methods("GET", "POST")
def quota(request: ActorRequest, team: str) -> HttpResponse:
    """What a team may have of the workers and the store."""
    found = find_team(request.actor, team)
    form = QuotaForm(request.POST if request.method == "POST" else None, initial=_initial(found.pk))
    back = reverse("projects:queues")
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            size = form.cleaned_data.pop("archive_mb")
            archive_bytes = None if size is None else size * _MB
            actions.set_quota(request.actor, team=found, archive_bytes=archive_bytes, **form.cleaned_data)
            messages.success(request, _("Saved."))
            return done(request, back)
    return dialog(request, form, title=_("What %s may have") % found.name, submit=_("Save"), back=back)


def _initial(team_id: int) -> dict[str, int | None]:
    found = Quota.objects.filter(team_id=team_id).first()
    if found is None:
        return {}
    size = None if found.archive_bytes is None else found.archive_bytes // _MB
    return {"max_running": found.max_running, "max_queued": found.max_queued, "archive_mb": size}
