"""What may have changed while a run waited."""

from __future__ import annotations

from apps.core.errors import PermissionDenied
from apps.projects.actions.unattended import owner_of
from apps.projects.models import JobKind, ProjectRun, SourceKind


def refusal_of(run: ProjectRun) -> str:
    """Why a run that was claimed may not begin any more, in a sentence; empty where it may.

    It begins as its owner, so its owner has to have the right now. What `claim_run` fetched has to be at hand.
    """
    if run.owner is None or not run.owner.is_active:
        return f"{run.owner_name}, whose run it is, is {'disabled' if run.owner else 'gone'}."
    return _without_project(run) if run.kind == JobKind.PROJECT else ""


def _without_project(run: ProjectRun) -> str:
    if run.project is None:
        return f"The project {run.project_name} was deleted."
    if run.experiment is None or run.experiment.is_deleted:
        return "Its experiment was deleted."
    if run.run is None or run.run.is_deleted:
        return "Its tracking run was deleted."
    if run.source_kind == SourceKind.ARCHIVE and run.archive is None:
        return "Its files are not kept any more."
    try:
        owner_of(run.owner, run.project)
    except PermissionDenied as error:
        return error.message
    return ""
