"""The schedules of a project: the list, the form with the times that it means, rest and removal."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Level
from apps.core.errors import InvalidInput, NotFound
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import REFUSED, methods
from apps.core.rules import signed_in
from apps.projects import access, actions
from apps.projects.cron import MAX_CRON, Cron
from apps.projects.models import Project, Schedule
from apps.projects.selectors import schedules
from apps.projects.web.common import project_frame, refusals_in
from apps.projects.web.schedule_forms import ScheduleForm, ask_form


@signed_in
@methods("GET")
def schedule_list(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Each with its last run and its next time."""
    project = access.get_project(request.actor, team, name)
    context = project_frame(request.actor, project, "schedules")
    context["lines"] = schedules.lines_of(schedules.schedules_of(project))
    template = "_schedule_table" if is_fragment(request) else "schedule_list"
    return render(request, f"projects/{template}.html", context)


@signed_in
@methods("GET", "POST")
def schedule_new(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Make one."""
    project = access.get_project(request.actor, team, name, Level.EDIT)
    return _form(request, project, None)


@signed_in
@methods("GET", "POST")
def schedule_change(request: ActorRequest, team: str, name: str, schedule_id: int) -> HttpResponse:
    """Change one, and so become its owner."""
    schedule = _fetch(request, team, name, schedule_id)
    project = access.get_project(request.actor, team, name, Level.EDIT)
    return _form(request, project, schedule)


@signed_in
@methods("GET")
def schedule_preview(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """What a cron line means, as it is typed: in words, and the next five times."""
    access.get_project(request.actor, team, name, Level.EDIT)
    return render(request, "projects/_schedule_times.html", _meaning(request))


@signed_in
@methods("POST")
def schedule_pause(request: ActorRequest, team: str, name: str, schedule_id: int) -> HttpResponse:
    """Let it rest (`paused=yes`), or go on."""
    schedule = _fetch(request, team, name, schedule_id)
    actions.pause_schedule(request.actor, schedule=schedule, is_paused=request.POST.get("paused") == "yes")
    return redirect(_address(schedule.project))


@signed_in
@methods("POST")
def schedule_delete(request: ActorRequest, team: str, name: str, schedule_id: int) -> HttpResponse:
    """Remove one; its runs stay."""
    schedule = _fetch(request, team, name, schedule_id)
    actions.delete_schedule(request.actor, schedule=schedule)
    messages.success(request, _("The schedule %s is deleted.") % schedule.name)
    return redirect(_address(schedule.project))


def _form(request: ActorRequest, project: Project, schedule: Schedule | None) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = ScheduleForm(data, schedule=schedule)
    asks = ask_form(request.actor, project, schedule, data)
    if data is not None and all([form.is_valid(), asks.is_valid()]):
        with refusals_in(form):
            _save(request, project, schedule, form.plan(asks.submission()))
            return redirect(_address(project))
    context = project_frame(request.actor, project, "schedules") | {"plan": form, "form": asks, "schedule": schedule}
    context |= {"back": _address(project)}
    return render(request, "projects/schedule_form.html", context, status=REFUSED if data is not None else 200)


def _save(request: ActorRequest, project: Project, schedule: Schedule | None, plan: actions.Plan) -> None:
    if schedule is None:
        actions.create_schedule(request.actor, project=project, plan=plan)
        messages.success(request, _("The schedule %s is made.") % plan.name)
    else:
        actions.change_schedule(request.actor, schedule=schedule, plan=plan)
        messages.success(request, _("The schedule %s is changed.") % plan.name)


def _meaning(request: ActorRequest) -> dict[str, Any]:
    line, zone = (request.GET.get(name, "").replace("\x00", "")[: MAX_CRON + 1] for name in ("cron", "timezone"))
    try:
        cron = Cron.parse(line, zone or "UTC")
    except InvalidInput as error:
        return {"problem": error.message.partition(": ")[2]}
    return {"words": cron.in_words(), "times": schedules.next_times(cron), "zone": cron.zone.key}


def _fetch(request: ActorRequest, team: str, name: str, schedule_id: int) -> Schedule:
    """One of the project that the address names. Raises `NotFound` for another's."""
    schedule = access.get_schedule(request.actor, schedule_id, Level.EDIT)
    if (schedule.project.team.name, schedule.project.name) != (team, name):
        raise NotFound(f"No schedule {schedule_id}.")
    return schedule


def _address(project: Project) -> str:
    return reverse("projects:schedules", args=(project.team.name, project.name))
