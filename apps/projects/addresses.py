"""Where pages are."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import urlencode

from apps.projects.models import Project, ProjectRun


def project_url(project: Project) -> str:
    """The page of a project; its team has to be at hand."""
    return reverse("projects:project", args=(project.team.name, project.name))


def run_url(run: ProjectRun) -> str:
    """The page of a project run."""
    return reverse("projects:run", args=(run.pk,))


def start_url(project: Project, entry_point: str = "") -> str:
    """The form that starts a run of a project, with an entry point chosen."""
    address = reverse("projects:start", args=(project.team.name, project.name))
    return address + (f"?{urlencode({'entry_point': entry_point})}" if entry_point else "")
