"""Where pages are."""

from __future__ import annotations

from django.urls import reverse

from apps.projects.models import Project, ProjectRun


def project_url(project: Project) -> str:
    """The page of a project; its team has to be at hand."""
    return reverse("projects:project", args=(project.team.name, project.name))


def run_url(run: ProjectRun) -> str:
    """The page of a project run."""
    return reverse("projects:run", args=(run.pk,))
