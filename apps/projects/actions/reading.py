"""Reading what a project's MLproject says: of archives at once, of repositories and folders by a worker."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import transaction

from apps.core.actor import Actor
from apps.core.errors import DomainError, InvalidInput
from apps.projects.actions.common import now_ms
from apps.projects.models import Archive, Project, SourceKind
from apps.projects.reading import sources
from apps.projects.reading.documents import read_document
from apps.projects.reading.peeking import peek, stored
from apps.projects.reading.reach import allowed_folder, reachable

logger = logging.getLogger(__name__)

_MAX_ERROR = 4000


def ask_reading(actor: Actor, *, project: Project) -> Project:
    """Let the source be read anew: an archive before this returns, others by a worker."""
    with transaction.atomic():
        mark_unread(project)
    return read_at_once(actor, project)


def mark_unread(project: Project) -> None:
    """It is to be read; repositories and folders by a worker that hears of it on commit."""
    project.read_ms, project.read_error = None, ""
    project.save(update_fields=["read_ms", "read_error"])
    if project.source_kind != SourceKind.ARCHIVE:
        transaction.on_commit(partial(_hurry, project.pk))


def read_at_once(actor: Actor, project: Project) -> Project:
    """Read an archive, which is here; leave others to the worker that was told."""
    return read_project(actor, project=project) if project.source_kind == SourceKind.ARCHIVE else project


def read_project(actor: Actor, *, project: Project) -> Project:
    """Fetch the source, and keep what its MLproject says, or why it can't be read.

    Where the source was changed meanwhile nothing is kept: that change asked for a reading of its own.
    """
    found: dict[str, Any]
    try:
        with _folder_of(project) as (folder, commit):
            found = {"document": read_document(folder), "read_error": "", "read_commit": commit}
    except DomainError as error:
        found = {"read_error": error.message[:_MAX_ERROR].replace("\x00", "")}
    except (OSError, UnicodeError) as error:
        logger.warning("project %s can't be read: %s", project.pk, error)
        found = {"read_error": "The files can't be read."}
    found["read_ms"] = now_ms()
    if Project.objects.filter(pk=project.pk, **_source(project)).update(**found):
        for name, value in found.items():
            setattr(project, name, value)
    return project


def _source(project: Project) -> dict[str, Any]:
    names = ("source_kind", "source_uri", "source_version", "subfolder", "archive_id")
    return {name: getattr(project, name) for name in names}


def _hurry(project_id: int) -> None:
    from apps.projects.tasks import hurry_reading

    hurry_reading(project_id)


@contextmanager
def _folder_of(project: Project) -> Iterator[tuple[Path, str]]:
    """The project's files, or of an archive those that describe it, and the commit they are of."""
    with TemporaryDirectory(prefix="slipway-read-", ignore_cleanup_errors=True) as name:
        into = Path(name) / "files"
        into.mkdir()
        match SourceKind(project.source_kind):
            case SourceKind.ARCHIVE:
                content = stored(_archive_of(project))
                yield sources.below(peek(content, into), project.subfolder), ""
            case SourceKind.FOLDER:
                folder = sources.below(allowed_folder(project.source_uri), project.subfolder)
                yield folder, sources.state_of(folder).commit
            case SourceKind.GIT:
                uri = project.source_uri + (f"#{project.subfolder}" if project.subfolder else "")
                git = _bounded_git(Path(name))
                fetched = sources.fetch(uri, into, version=project.source_version, reach=reachable, git=git)
                yield fetched.folder, fetched.git.commit


def _bounded_git(room: Path) -> sources.Git:
    """Git as runs have it, ended where it takes too long or too much: what anybody names may be of any size."""
    from apps.runtime.process import Host
    from apps.runtime.tools import Tools

    return Tools(Host(), room, lambda _: nullcontext()).git


def _archive_of(project: Project) -> Archive:
    if project.archive is None:
        raise InvalidInput("The project has no archive.")
    return project.archive
