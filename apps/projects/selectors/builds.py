"""Builds of versions, for pages and the API, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.projects.builds.evidence import newest_builds
from apps.projects.models import Build
from apps.registry.mlmodel import folder_of_version
from apps.registry.models import ModelVersion
from apps.registry.stamps import files_in, stamp_of

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class BuildPage:
    """The builds of a version, newest first. `newest` is what gates judge by, where it `is_same`: of these files."""

    builds: Sequence[Build]
    newest: Build | None
    is_same: bool

    @property
    def going_on(self) -> Build | None:
        """One that waits or is being done."""
        return next((build for build in self.builds if build.project_run.is_active), None)

    @property
    def facts(self) -> dict[str, Any]:
        """What the newest found."""
        return self.newest.result if self.newest else {}


def build_page(version: ModelVersion) -> BuildPage:
    """For who may read the version."""
    newest = newest_builds([version]).get(version.pk)
    return BuildPage(list(builds_of(version)[:_SHOWN]), newest, newest is not None and _is_same(version, newest))


def builds_of(version: ModelVersion) -> QuerySet[Build]:
    """Those of a version, newest first, with their runs."""
    return Build.objects.filter(version=version).select_related("project_run").order_by("-pk")


def builds_for(actor: Actor) -> QuerySet[Build]:
    """Those of versions that the actor may read, of all teams."""
    versions = ModelVersion.objects.visible_to(actor).values("pk")
    found = Build.objects.filter(version__in=versions)
    return found.select_related("project_run", "version__model__team")


def _is_same(version: ModelVersion, build: Build) -> bool:
    """Whether it built the files that are there now; False where that can't be told."""
    try:
        return stamp_of(files_in(folder_of_version(version))) == build.digest
    except DomainError:
        return False
