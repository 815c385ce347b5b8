"""Archives of project files: taken in once they are known to be good, and thrown away when nobody needs them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum

from apps.accounts.access import require_team
from apps.accounts.models import Team
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotFound, TooLarge
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.store import CHUNK, Source, own_store
from apps.projects.actions.common import now_ms
from apps.projects.models import ACTIVE, Archive, Project, ProjectRun, Quota
from apps.projects.reading.archives import Limits
from apps.projects.reading.inspecting import Contents, inspect

logger = logging.getLogger(__name__)

_DAY_MS = 24 * 60 * 60 * 1000
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """An archive that is kept. `is_new`: it was not there before."""

    archive: Archive
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Draft:
    """A file on its way in, with its SHA-256 in hex."""

    path: Path
    digest: str
    bytes: int


def keep_archive(actor: Actor, *, source: Source, length: int | None, name: str = "", team: Team | None = None) -> Kept:
    """Keep a zip of project files in a team, once for the same content. `length`: the bytes that were announced.

    Without `team`, of the project whose source it will be, it is the one that the request speaks for. Nothing is kept
    before all of it was read and its MLproject parsed. Raises `TooLarge` where it is over the limit or the team's quota
    (at once where the announced length is), `InvalidInput` for what is no project.
    """
    team = team or Team.objects.get(pk=require_team(actor))
    at_most = _room(team)
    _check_size(length or 0, at_most)
    with _draft(source, at_most) as draft:
        contents = inspect(draft.path, _limits())
        with transaction.atomic():
            Team.objects.select_for_update(no_key=True).get(pk=team.pk)
            return _kept(actor, team, draft, contents, name)


def prune_archives(actor: Actor) -> int:
    """Delete the archives that no project and no active run refers to, and that nobody sent or ran for some days.

    How many. Runs that have ended stay, and can't be repeated with those files.
    """
    if not settings.PROJECT_ARCHIVE_DAYS:
        return 0
    before = now_ms() - settings.PROJECT_ARCHIVE_DAYS * _DAY_MS
    return sum(_pruned(archive, before) for archive in _unused(before)[:1000])


def open_archive(archive: Archive) -> Iterator[bytes]:
    """The zip's bytes, piece by piece. Raises `NotFound` where the store has lost it."""
    path = ArtifactPath.parse(archive.path)
    if own_store().stat(path) is None:
        raise NotFound(f"The files of the archive {archive} are not in the store any more.")
    return own_store().read(path, 0, archive.bytes)


def _limits() -> Limits:
    return Limits(files=settings.PROJECT_ARCHIVE_FILES, bytes=settings.PROJECT_UNPACKED_BYTES)


def _room(team: Team) -> int:
    """How large an archive of a team may be: by the server's limit, and what is left of the quota."""
    quota = Quota.objects.filter(team=team).values_list("archive_bytes", flat=True).first()
    if quota is None:
        return settings.PROJECT_ARCHIVE_BYTES
    used = Archive.objects.filter(team=team).aggregate(sum=Sum("bytes"))["sum"] or 0
    return min(settings.PROJECT_ARCHIVE_BYTES, max(0, quota - used))


def _check_size(size: int, at_most: int) -> None:
    if size <= at_most:
        return
    if at_most == settings.PROJECT_ARCHIVE_BYTES:
        raise TooLarge(f"The archive is too large: at most {at_most:,} bytes are taken.")
    raise TooLarge(f"The archive is over the quota of the team, which has {at_most:,} bytes left.")


@contextmanager
def _draft(source: Source, at_most: int) -> Iterator[_Draft]:
    settings.DATA.uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="archive-", dir=settings.DATA.uploads) as folder:
        path, digest, size = Path(folder, "archive.zip"), hashlib.sha256(), 0
        with path.open("wb") as file:
            while piece := source.read(CHUNK):
                size += len(piece)
                _check_size(size, at_most)
                digest.update(piece)
                file.write(piece)
        yield _Draft(path, digest.hexdigest(), size)


def _kept(actor: Actor, team: Team, draft: _Draft, contents: Contents, name: str) -> Kept:
    """Row, then file, in one transaction: who prunes does so too, so a row never loses its file."""
    if (found := _used_again(team, draft.digest)) is not None:
        return Kept(found, False)
    _check_size(draft.bytes, _room(team))
    archive = Archive.objects.create(
        team=team,
        digest=draft.digest,
        name=_named(name, contents),
        bytes=draft.bytes,
        files=contents.files,
        owner_id=actor.user_id,
        created_ms=now_ms(),
    )
    with draft.path.open("rb") as file:
        own_store().write(ArtifactPath.parse(archive.path), file, draft.bytes)
    return Kept(archive, True)


def _used_again(team: Team, digest: str) -> Archive | None:
    """The archive that is there, young again."""
    found = Archive.objects.filter(team=team, digest=digest)
    return found.first() if found.update(created_ms=now_ms()) else None


def _named(name: str, contents: Contents) -> str:
    plain = name.replace("\\", "/").rpartition("/")[2].replace("\x00", "")
    return (contents.project.name or plain.removesuffix(".zip"))[:_MAX_NAME]


def _unused(before: int) -> QuerySet[Archive]:
    runs = ProjectRun.objects.filter(archive=OuterRef("pk"))
    needed = runs.filter(state__in=ACTIVE) | runs.filter(ended_ms__gte=before)
    by_project = Project.objects.filter(archive=OuterRef("pk"))
    return Archive.objects.filter(~Exists(by_project), ~Exists(needed), created_ms__lt=before)


def _pruned(archive: Archive, before: int) -> bool:
    try:
        with transaction.atomic():
            Team.objects.select_for_update(no_key=True).get(pk=archive.team_id)
            if not _unused(before).filter(pk=archive.pk).exists():
                return False
            ProjectRun.objects.filter(archive=archive).exclude(state__in=ACTIVE).update(archive=None)
            Archive.objects.filter(pk=archive.pk).delete()
            own_store().delete(ArtifactPath.parse(archive.path))
            return True
    except (OSError, Conflict):  # a store that is away must not keep the others from being looked at
        logger.exception("pruning the archive %s", archive.pk)
        return False
