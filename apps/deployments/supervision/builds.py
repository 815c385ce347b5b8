"""The build that a revision stands on: one that is green already, else one that is begun on behalf of somebody."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from apps.accounts.authentication import actor_of_user
from apps.accounts.models import Membership, User
from apps.core.actor import Actor, Role, Via, system_actor
from apps.core.errors import Conflict, DomainError, Unavailable
from apps.deployments.actions import observing
from apps.deployments.actions.leading import Deposed, Lease
from apps.deployments.configuration import Config
from apps.deployments.models import Revision
from apps.projects.actions import start_build
from apps.projects.models import Build, ProjectRun
from apps.registry import access
from apps.registry.mlmodel import folder_of_version
from apps.registry.models import ModelVersion
from apps.registry.stamps import files_in, stamp_of

logger = logging.getLogger(__name__)


def prepare(lease: Lease, revision: Revision) -> None:
    """Move a pending revision on: to its instances where its version is built, else to a build of it.

    Looks at the version's files, so it may be slow. What is away now is said, and tried again. Raises `Deposed`.
    """
    actor = system_actor()
    version = ModelVersion.objects.select_related("model__team").filter(pk=revision.version_id or 0).first()
    try:
        if version is None:
            observing.note_failed(actor, lease=lease, revision=revision, message="The model version was deleted.")
            return
        green = _green(version)
        if green is not None:
            observing.note_built(actor, lease=lease, revision=revision, build=green)
            return
        build = _going_on(version) or _begun(version, revision)
    except (Unavailable, Conflict) as error:
        _say(lease, revision, error.message)
    except Deposed:
        raise
    except DomainError as error:
        observing.note_failed(actor, lease=lease, revision=revision, message=error.message)
    else:
        words = f"Run {build.pk}, its build, waits in the queue."
        observing.note_building(actor, lease=lease, revision=revision, build=build, message=words)


def _green(version: ModelVersion) -> Build | None:
    """A green build of the files as they are. Raises `DomainError` where the files can't be looked at."""
    stamp = stamp_of(files_in(folder_of_version(version)))
    return Build.objects.filter(version=version, is_green=True, digest=stamp).order_by("-pk").first()


def _going_on(version: ModelVersion) -> Build | None:
    waiting = ProjectRun.objects.active().filter(build__version=version)
    return Build.objects.filter(project_run__in=waiting).order_by("-pk").first()


def _begun(version: ModelVersion, revision: Revision) -> Build:
    owner = _owner(version, revision)
    config = Config.from_json(revision.config)
    note = f"For {revision.deployment.name}, revision {revision.number}."
    run = start_build(owner, version=version, network=config.network, note=note[:500])
    return Build.objects.get(pk=run.pk)


def _owner(version: ModelVersion, revision: Revision) -> Actor:
    """Who the build is on behalf of: whoever deployed it, or, where they are gone or it was a rule, who keeps the
    deployment. They have to be able to read the version: nobody's build shows what its owner may not see.

    Raises `Conflict` where there is nobody.
    """
    for user in _candidates(revision):
        actor = actor_of_user(user, Via.SYSTEM).speaking_for(version.model.team_id)
        try:
            access.get_version_by_id(actor, version.pk)
        except DomainError:
            continue
        return actor
    raise Conflict("Nobody who keeps this deployment may read the version any more, so it is not built.")


def _candidates(revision: Revision) -> Iterator[User]:
    deployment = revision.deployment
    wanted = [pk for pk in (revision.owner_id, deployment.owner_id) if pk is not None]
    known = {user.pk: user for user in User.objects.filter(pk__in=wanted, is_active=True)}
    yield from (known[pk] for pk in wanted if pk in known)
    keepers = Membership.objects.filter(team_id=deployment.team_id, role__in=(Role.MAINTAINER, Role.ADMIN))
    yield from User.objects.filter(pk__in=keepers.values("user"), is_active=True).order_by("pk")[:10]
    yield from User.objects.filter(is_active=True, is_superuser=True).order_by("pk")[:10]


def _say(lease: Lease, revision: Revision, message: str) -> None:
    if revision.message != message:
        observing.note_message(system_actor(), lease=lease, revision=revision, message=message)
