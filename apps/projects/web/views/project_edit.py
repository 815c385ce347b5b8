"""What people change about a project: that it is there, its name, source and what its runs begin with."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts import access as accounts
from apps.accounts.access import require_team
from apps.accounts.models import Team
from apps.core.actor import Level, Role
from apps.core.errors import NotFound
from apps.core.http import ActorRequest
from apps.core.pages import REFUSED, dialog, done, methods
from apps.core.rules import signed_in
from apps.experiments import access as experiments
from apps.projects import access, actions, addresses
from apps.projects.asking.changes import Source
from apps.projects.models import Project, SourceKind
from apps.projects.reading.reach import folder_roots
from apps.projects.web.common import project_frame, refusals_in
from apps.projects.web.forms import ConfirmForm, DefaultsForm, DescribeForm, SourceForm, limit_initial


@signed_in
@methods("GET", "POST")
def project_new(request: ActorRequest) -> HttpResponse:
    """Make a project from a repository, an upload or a folder: `?from=`."""
    kind = _kind(request)
    form = _source_form(request, kind, is_new=True)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            team = accounts.get_team_by_id(request.actor, require_team(request.actor), Role.MEMBER)
            return redirect(addresses.project_url(_create(request, form, team)))
    status = REFUSED if form.is_bound else 200
    return render(request, "projects/project_new.html", {"form": form, **_kinds(kind)}, status=status)


@signed_in
@methods("GET", "POST")
def project_source(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Other files for a project: another branch, a new upload, another repository."""
    project = access.get_project(request.actor, team, name, Level.EDIT)
    kind = _kind(request, project.source_kind)
    form = _source_form(request, kind, is_new=False, initial=_initial_source(project))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.change_source(request.actor, project=project, source=_source(request, form, project.team))
            return redirect(addresses.project_url(project))
    context = project_frame(request.actor, project, "settings") | {"form": form, **_kinds(kind)}
    return render(request, "projects/project_source.html", context, status=REFUSED if form.is_bound else 200)


@signed_in
@methods("GET", "POST")
def project_settings(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """What runs of a project begin with."""
    project = access.get_project(request.actor, team, name)
    frame = project_frame(request.actor, project, "settings")
    if request.method == "POST":
        access.require_level(request.actor, project, Level.EDIT)
    form = DefaultsForm(request.POST or None, initial=_initial_defaults(project), actor=request.actor, project=project)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            _save_defaults(request, project, form)
            messages.success(request, _("Saved: the next runs begin with this."))
            return redirect(reverse("projects:project_settings", args=(team, name)))
    status = REFUSED if form.is_bound and form.errors else 200
    return render(request, "projects/project_settings.html", frame | {"form": form}, status=status)


@signed_in
@methods("GET", "POST")
def project_edit(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Rename and describe."""
    project = access.get_project(request.actor, team, name, Level.EDIT)
    initial = {"name": project.name, "description": project.description}
    form = DescribeForm(request.POST or None, initial=initial)
    back = addresses.project_url(project)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form, "name"):
            actions.describe_project(request.actor, project=project, **form.cleaned_data)
            return done(request, addresses.project_url(project))
    return dialog(request, form, title=_("Edit project"), submit=_("Save"), back=back)


@signed_in
@methods("GET", "POST")
def project_delete(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Ask, then remove it; its runs stay."""
    project = access.get_project(request.actor, team, name, Level.MANAGE)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.delete_project(request.actor, project=project)
            messages.success(request, _("“%(name)s” is deleted.") % {"name": project.name})
            return done(request, reverse("projects:projects"))
    lead = _("“%(name)s” goes for good, with its schedules. Its runs, their logs and what they logged stay.")
    return dialog(
        request,
        form,
        title=_("Delete project"),
        submit=_("Delete"),
        lead=lead % {"name": project.name},
        danger=True,
        back=addresses.project_url(project),
    )


def _kind(request: ActorRequest, usual: str = SourceKind.GIT) -> SourceKind:
    wanted = request.GET.get("from", usual)
    if wanted not in SourceKind.values or (wanted == SourceKind.FOLDER and not folder_roots()):
        raise NotFound("No such source of projects.")
    return SourceKind(wanted)


def _kinds(kind: SourceKind) -> dict[str, Any]:
    """The tabs: folders of the server where the operator lists some."""
    names = {
        SourceKind.GIT: _("Git repository"),
        SourceKind.ARCHIVE: _("Upload"),
        SourceKind.FOLDER: _("Folder on the server"),
    }
    offered = [one for one in SourceKind if one is not SourceKind.FOLDER or folder_roots()]
    return {"kind": kind.value, "kinds": [(one.value, names[one]) for one in offered]}


def _source_form(request: ActorRequest, kind: SourceKind, *, is_new: bool, **more: Any) -> SourceForm:
    is_sent = request.method == "POST"
    roots = tuple(str(root) for root in folder_roots())
    return SourceForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        kind=kind,
        is_new=is_new,
        roots=roots,
        **more,
    )


def _create(request: ActorRequest, form: SourceForm, team: Team) -> Project:
    source = _source(request, form, team)
    name = form.cleaned_data["name"].strip() or _name_of(source)
    description = form.cleaned_data["description"]
    return actions.create_project(request.actor, name=name, source=source, description=description)


def _source(request: ActorRequest, form: SourceForm, team: Team) -> Source:
    if form.kind is not SourceKind.ARCHIVE:
        return form.source
    file = form.cleaned_data["file"]
    kept = actions.keep_archive(request.actor, team=team, source=file, length=file.size, name=file.name or "")
    return Source(SourceKind.ARCHIVE, subfolder=form.source.subfolder, archive=kept.archive)


def _name_of(source: Source) -> str:
    """What the files are called."""
    if source.archive is not None:
        return source.archive.name[:100]
    last = source.subfolder or source.uri.replace(":", "/")
    return PurePosixPath(last).name.removesuffix(".git")[:100]


def _initial_source(project: Project) -> dict[str, Any]:
    is_git = project.source_kind == SourceKind.GIT
    return {
        "address": project.source_uri if is_git else "",
        "folder": "" if is_git else project.source_uri,
        "version": project.source_version,
        "subfolder": project.subfolder,
    }


def _initial_defaults(project: Project) -> dict[str, Any]:
    return {
        "experiment": str(project.experiment_id or ""),
        "queue": project.queue,
        "env_vars": project.env_vars,
        "secrets": project.secrets,
        "max_running": project.max_running,
        **limit_initial(project.limits),
    }


def _save_defaults(request: ActorRequest, project: Project, form: DefaultsForm) -> None:
    chosen, experiment = form.cleaned_data["experiment"], None
    if chosen:
        is_own = chosen == str(project.experiment_id)
        experiment = project.experiment if is_own else experiments.get_experiment(request.actor, chosen, Level.EDIT)
    actions.set_defaults(request.actor, project=project, defaults=form.defaults(experiment))
