"""Making deployments, what they are besides their revisions, and taking them away."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from apps.accounts.access import require_team
from apps.accounts.models import Grant, ObjectKind, Team
from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, InvalidInput
from apps.deployments import events
from apps.deployments.actions.allowing import is_allowed, require_allowed, require_deployable
from apps.deployments.actions.common import lock, move_epoch, now_ms, subject_of
from apps.deployments.actions.revisions import add_revision
from apps.deployments.actions.traffic import set_routes
from apps.deployments.configuration import Config
from apps.deployments.follows import Follow, check_follow
from apps.deployments.models import Deployment, Instance, Revision, RevisionState
from apps.deployments.names import check_deployment_name, check_description, check_reason
from apps.deployments.ports import Port, check_port
from apps.notifications.actions import forget_object
from apps.registry.models import ModelVersion
from apps.registry.stages import Stage


def create_deployment(
    actor: Actor,
    *,
    name: str,
    version: ModelVersion,
    config: Config,
    description: str = "",
    follow: Follow | None = None,
    stages: Sequence[str] = (),
    port: Port | None = None,
) -> Deployment:
    """A new deployment in the team that the request speaks for, with its first revision of a version that was fetched.

    Raises `AlreadyExists`, `Conflict` for a version that its stages don't allow, and `InvalidInput`.
    """
    check_deployment_name(name)
    check_description(description)
    followed, reached, now = follow or Follow(), port or Port(), now_ms()
    check_follow(followed, version.model)
    check_port(reached, None)
    deployment = Deployment(
        team=Team.objects.get(pk=require_team(actor)),
        name=name,
        description=description,
        owner_id=actor.user_id,
        model=version.model,
        stages=_checked_stages(stages),
        config=config.to_json(),
        created_ms=now,
        updated_ms=now,
    )
    followed.put_on(deployment)
    reached.put_on(deployment)
    require_deployable(deployment, version)
    try:
        with transaction.atomic():
            deployment.save(force_insert=True)
            _record_created(actor, deployment, version)
            add_revision(actor, deployment, version, config, reason="")
            move_epoch()
    except IntegrityError as error:
        raise _taken(name, reached) from error
    return deployment


def _record_created(actor: Actor, deployment: Deployment, version: ModelVersion) -> None:
    port = Port.of(deployment)
    what = {"model": version.model.name, "version": version.number}
    after = what | Follow.of(deployment).to_json() | port.to_json()
    record(actor, events.DEPLOYMENT_CREATED, subject_of(deployment), after=after)
    if port.is_open:
        record(actor, events.PORT_OPENED, subject_of(deployment), after=port.to_json())


def describe_deployment(actor: Actor, *, deployment: Deployment, description: str) -> Deployment:
    """Another description."""
    check_description(description)
    with transaction.atomic():
        fresh = lock(deployment)
        before, fresh.description, fresh.updated_ms = fresh.description[:1000], description, now_ms()
        fresh.save(update_fields=["description", "updated_ms"])
        after = {"description": description[:1000]}
        record(actor, events.DEPLOYMENT_CHANGED, subject_of(fresh), before={"description": before}, after=after)
    return fresh


def set_rules(actor: Actor, *, deployment: Deployment, follow: Follow, stages: Sequence[str]) -> Deployment:
    """What it follows, and in which stages a version has to be to be deployed here. For who manages it.

    Raises `InvalidInput` for a stage that there is not, and for what can't be followed.
    """
    allowed = _checked_stages(stages)
    with transaction.atomic():
        fresh = lock(deployment)
        if fresh.model is not None:
            check_follow(follow, fresh.model)
        before = {"stages": fresh.stages, **Follow.of(fresh).to_json()}
        fresh.stages, fresh.proposed, fresh.dismissed, fresh.updated_ms = allowed, None, None, now_ms()
        follow.put_on(fresh)
        fresh.save(
            update_fields=["stages", "follows", "followed", "follow_mode", "proposed", "dismissed", "updated_ms"]
        )
        after = {"stages": allowed, **follow.to_json()}
        record(actor, events.DEPLOYMENT_CHANGED, subject_of(fresh), before=before, after=after)
    return fresh


def set_port(actor: Actor, *, deployment: Deployment, port: Port) -> Deployment:
    """An HTTP port of its own, another or none. That it wants no token is an event of its own. For who manages it.

    Raises `AlreadyExists` where another deployment has the port.
    """
    check_port(port, deployment)
    try:
        with transaction.atomic():
            fresh = lock(deployment)
            before = Port.of(fresh)
            port.put_on(fresh)
            fresh.port_error, fresh.updated_ms = "", now_ms()
            fresh.save(update_fields=["port", "port_host", "port_open", "port_error", "updated_ms"])
            said = {"before": before.to_json(), "after": port.to_json()}
            record(actor, events.DEPLOYMENT_CHANGED, subject_of(fresh), before=said["before"], after=said["after"])
            if before.is_open != port.is_open:
                code = events.PORT_OPENED if port.is_open else events.PORT_CLOSED
                record(actor, code, subject_of(fresh), after=said["after"])
            move_epoch()
    except IntegrityError as error:
        raise _taken("", port) from error
    return fresh


def stop_deployment(actor: Actor, *, deployment: Deployment, reason: str = "") -> Deployment:
    """Let nothing of it run; its address answers 503. Stopped already, it stays so."""
    return _set_stopped(actor, deployment, reason, is_stopped=True)


def start_deployment(actor: Actor, *, deployment: Deployment, reason: str = "") -> Deployment:
    """Let it serve again what it served. Going on already, it does.

    Raises `Conflict` where what is wanted is not allowed there any more: the registry keeps none for what is stopped.
    """
    return _set_stopped(actor, deployment, reason, is_stopped=False)


def delete_deployment(actor: Actor, *, deployment: Deployment) -> None:
    """Remove it with its revisions, for good. Raises `Conflict` while something of it runs, or is about to.

    Stop it first; what failed and serves nothing need not be stopped, since nothing of it is started by itself.
    """
    with transaction.atomic():
        fresh = lock(deployment)
        if not fresh.is_stopped and not _came_to_nothing(fresh):
            raise Conflict(f"{fresh.name} is not stopped: stop it before it is deleted.")
        alive = Instance.objects.alive().filter(revision__deployment=fresh).count()
        if alive:
            raise Conflict(f"{alive} instances of {fresh.name} are still ending: try again in a moment.")
        record(actor, events.DEPLOYMENT_DELETED, subject_of(fresh), before={"config": fresh.config})
        forget_object(actor, kind=ObjectKind.DEPLOYMENT, object_id=fresh.pk)
        Grant.objects.filter(kind=ObjectKind.DEPLOYMENT, object_id=fresh.pk).delete()
        fresh.delete()
        move_epoch()


def _came_to_nothing(deployment: Deployment) -> bool:
    is_routed = Revision.objects.routed().filter(deployment=deployment).exists()
    wanted = deployment.wanted
    return not is_routed and wanted is not None and wanted.state == RevisionState.FAILED


def _set_stopped(actor: Actor, deployment: Deployment, reason: str, *, is_stopped: bool) -> Deployment:
    check_reason(reason)
    with transaction.atomic():
        fresh = lock(deployment)
        if fresh.is_stopped == is_stopped:
            return fresh
        fresh.is_stopped, fresh.updated_ms = is_stopped, now_ms()
        fresh.save(update_fields=["is_stopped", "updated_ms"])
        if not is_stopped:
            _want_again(fresh)
        code = events.DEPLOYMENT_STOPPED if is_stopped else events.DEPLOYMENT_STARTED
        record(actor, code, subject_of(fresh), note=reason)
        move_epoch()
    return fresh


def _want_again(deployment: Deployment) -> None:
    """With the lock held: what is wanted is tried, also where it had failed, and what may not serve gets no traffic."""
    wanted = deployment.wanted
    if wanted is not None:
        require_allowed(deployment, wanted)
        values = {"state": RevisionState.PENDING, "message": "", "state_ms": now_ms()}
        Revision.objects.filter(pk=wanted.pk).update(rests_ms=None)
        Revision.objects.filter(pk=wanted.pk, state=RevisionState.FAILED).update(**values)
    routed = list(Revision.objects.routed().filter(deployment=deployment).select_related("version__model"))
    if not all(is_allowed(deployment, each) for each in routed):
        set_routes(deployment, {wanted: 100} if wanted in routed else {})


def _checked_stages(stages: Sequence[str]) -> list[str]:
    known = {stage.value for stage in Stage}
    for stage in stages:
        if stage not in known:
            raise InvalidInput(f"'{stage[:100]}' is no stage; stages are {', '.join(sorted(known))}.")
    return sorted(set(stages))


def _taken(name: str, port: Port) -> AlreadyExists:
    if name and Deployment.objects.filter(name__iexact=name).exists():
        return AlreadyExists(f"A deployment is called '{name}' already; names are unique on the site.")
    return AlreadyExists(f"Another deployment has the port {port.number} already.")
