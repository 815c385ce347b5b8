"""Workers and what they do. Everybody may look; administrators let them drain."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import methods
from apps.core.rules import admins_only, signed_in
from apps.projects import access, actions
from apps.projects.selectors.workers import queue_rows, unknown_queues, worker_rows


@signed_in
@methods("GET")
def worker_list(request: ActorRequest) -> HttpResponse:
    """Who is alive, what they do, and what their hosts lack."""
    rows = worker_rows(request.actor)
    queues = queue_rows()
    context = {
        "rows": rows,
        "alive": sum(row.is_alive for row in rows),
        "unserved": [row for row in queues if not row.is_served],
        "unknown": unknown_queues(rows, queues),
    }
    template = "_worker_table" if is_fragment(request) else "worker_list"
    return render(request, f"projects/{template}.html", context)


@admins_only
@methods("POST")
def worker_drain(request: ActorRequest, name: str) -> HttpResponse:
    """Let it finish what it has."""
    worker = actions.drain_worker(request.actor, worker=access.get_worker(request.actor, name))
    messages.success(request, _("%s finishes what it has and takes nothing new.") % worker.name)
    return redirect("projects:workers")


@admins_only
@methods("POST")
def worker_resume(request: ActorRequest, name: str) -> HttpResponse:
    """Let it take runs again."""
    worker = actions.resume_worker(request.actor, worker=access.get_worker(request.actor, name))
    messages.success(request, _("%s takes runs again.") % worker.name)
    return redirect("projects:workers")
