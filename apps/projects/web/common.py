"""What the pages of projects and their runs share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.forms import BaseForm

from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.core.errors import PermissionDenied, TooLarge, Unavailable
from apps.core.http import ActorRequest
from apps.core.pages import MENDABLE
from apps.projects import access
from apps.projects.models import Project

PAGE_SIZE = 50
_MAX_SEARCH = 200


@contextmanager
def refusals_in(form: BaseForm, field: str | None = None) -> Iterator[None]:
    """Show in the form what an action refuses, a missing right or a missing part too."""
    try:
        yield
    except (*MENDABLE, PermissionDenied, TooLarge, Unavailable) as error:
        form.add_error(field if field in form.fields else None, error.message)


def project_frame(actor: Actor, project: Project, tab: str) -> dict[str, Any]:
    """What every tab of a project's page shows around its own part."""
    level = access.level_of_project(actor, project)
    return {
        "project": project,
        "tab": tab,
        "share_key": kind_of(ObjectKind.PROJECT).key_of(project.pk),
        "may_edit": level >= Level.EDIT,
        "may_manage": level >= Level.MANAGE,
    }


def searched(request: ActorRequest, name: str = "q") -> str:
    """What is searched for, as text that a database takes."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:_MAX_SEARCH]
