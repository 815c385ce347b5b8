"""How far revisions got: what the supervisor that decides writes. All of it `under` its lease, so `Deposed` is raised
by whoever decides no more; and each looks at the rows as they are then: people may have decided otherwise meanwhile.
"""

from __future__ import annotations

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.deployments import events, telling
from apps.deployments.actions.allowing import is_allowed
from apps.deployments.actions.common import lock, move_epoch, said_of, subject_of
from apps.deployments.actions.leading import Lease, database_ms, under
from apps.deployments.actions.traffic import set_routes, split_of, weight_of
from apps.deployments.models import Deployment, Instance, InstanceState, Revision, RevisionState
from apps.deployments.wants import is_to_run
from apps.projects.models import Build

MOST_SAID = 8000
_LEFT_THE_STAGE = "Its version is not allowed here any more: it left the stage."


def note_building(actor: Actor, *, lease: Lease, revision: Revision, build: Build, message: str) -> None:
    """A build of its version was begun, or goes on already."""
    _move(lease, revision, RevisionState.PENDING, RevisionState.BUILDING, message, build_id=build.pk)


def note_built(actor: Actor, *, lease: Lease, revision: Revision, build: Build) -> None:
    """Its version is built, now or earlier: instances may start."""
    sha256 = str(build.result.get("sha256", ""))[:64]
    found = {"build_id": build.pk, "sha256": sha256}
    _move(lease, revision, revision.state, RevisionState.STARTING, "", **found)


def note_waking(actor: Actor, *, lease: Lease, revision: Revision) -> None:
    """It rested and is wanted again."""
    _move(lease, revision, RevisionState.STOPPED, RevisionState.PENDING, "")


def rest_revision(actor: Actor, *, lease: Lease, revision: Revision, reason: str) -> None:
    """Nothing of it is to run: its instances end, and what it needs stays built.

    With the deployment locked, so that nobody goes back to it while it looks ready still.
    """
    with under(lease):
        deployment = _locked(revision)
        fresh = Revision.objects.filter(pk=revision.pk).first()
        if deployment is None or fresh is None:
            return
        now = database_ms()
        if is_to_run(deployment, fresh, weight_of(fresh), now):
            return
        if fresh.state != RevisionState.FAILED:
            values = {"state": RevisionState.STOPPED, "message": "", "state_ms": now}
            Revision.objects.filter(pk=fresh.pk).update(**values)
        going = Instance.objects.alive().filter(revision=fresh, drain_ms__isnull=True)
        going.update(state=InstanceState.DRAINING, drain_ms=now, message=reason[:MOST_SAID])
        move_epoch()


def note_fallen(actor: Actor, *, lease: Lease, revision: Revision, message: str) -> None:
    """It was ready, and none of its instances answers. How often they failed is counted on."""
    since = revision.state_ms
    _move(lease, revision, RevisionState.READY, RevisionState.STARTING, message, state_ms=since)


def note_message(actor: Actor, *, lease: Lease, revision: Revision, message: str) -> None:
    """What is waited for, or what goes wrong."""
    with under(lease):
        Revision.objects.filter(pk=revision.pk, state=revision.state).update(message=message[:MOST_SAID])


def note_ready(actor: Actor, *, lease: Lease, revision: Revision) -> None:
    """All its instances answer. Where it is what is wanted and has no traffic yet, all of it moves there, in the same
    transaction; what had it rests after a while. Unless its version left the stages that are allowed there meanwhile.
    """
    with under(lease):
        deployment = _locked(revision)
        fresh = Revision.objects.filter(pk=revision.pk).select_related("version").first()
        if deployment is None or fresh is None or fresh.state != RevisionState.STARTING:
            return
        now = database_ms()
        was_routed = weight_of(fresh) > 0
        is_wanted = deployment.wanted_id == fresh.pk
        if is_wanted and not was_routed and not is_allowed(deployment, fresh):
            # It was when somebody deployed it; another one has taken its place in the stage meanwhile.
            _fail(actor, deployment, fresh, _LEFT_THE_STAGE)
            move_epoch()
            return
        fresh.state, fresh.state_ms, fresh.message, fresh.ready_ms = RevisionState.READY, now, "", now
        fresh.save(update_fields=["state", "state_ms", "message", "ready_ms"])
        if not was_routed:
            record(actor, events.REVISION_READY, subject_of(deployment), after=said_of(fresh))
            if is_wanted:
                _shift(actor, deployment, fresh)
        move_epoch()


def shift_all(actor: Actor, *, lease: Lease, revision: Revision) -> None:
    """Move all traffic to what is wanted, which is ready: after a way back to one that was warm. As `note_ready`, not
    where its version left the stages that are allowed there meanwhile.
    """
    with under(lease):
        deployment = _locked(revision)
        ready = Revision.objects.filter(pk=revision.pk, state=RevisionState.READY)
        fresh = ready.select_related("version").first()
        if deployment is None or fresh is None or deployment.wanted_id != fresh.pk or weight_of(fresh):
            return
        if is_allowed(deployment, fresh):
            _shift(actor, deployment, fresh)
        else:
            _fail(actor, deployment, fresh, _LEFT_THE_STAGE)
        move_epoch()


def note_failed(actor: Actor, *, lease: Lease, revision: Revision, message: str) -> None:
    """It can't be made ready: nothing more is tried, people are told, and what served before goes on."""
    with under(lease):
        deployment = _locked(revision)
        fresh = Revision.objects.filter(pk=revision.pk).first()
        if deployment is None or fresh is None or fresh.state != revision.state:
            return
        _fail(actor, deployment, fresh, message)
        move_epoch()


def _fail(actor: Actor, deployment: Deployment, revision: Revision, message: str) -> None:
    revision.state, revision.state_ms, revision.message = RevisionState.FAILED, database_ms(), message[:MOST_SAID]
    revision.save(update_fields=["state", "state_ms", "message"])
    revision.deployment = deployment
    record(actor, events.REVISION_FAILED, subject_of(deployment), after=said_of(revision), note=message[:1000])
    telling.tell_failed(actor, revision)


def _shift(actor: Actor, deployment: Deployment, revision: Revision) -> None:
    before = split_of(deployment)
    # A canary's share goes too: it was tried against what served before.
    set_routes(deployment, {revision: 100})
    after = {"weights": split_of(deployment)}
    record(actor, events.REVISION_SHIFTED, subject_of(deployment), before={"weights": before}, after=after)


def _move(lease: Lease, revision: Revision, before: str, after: RevisionState, message: str, **more: object) -> None:
    """From one state to another, where it is in that still."""
    with under(lease):
        found = Revision.objects.filter(pk=revision.pk, state=before)
        values = {"state": after, "message": message[:MOST_SAID], "state_ms": database_ms()} | more
        if found.update(**values):
            move_epoch()


def _locked(revision: Revision) -> Deployment | None:
    """Its deployment, until the transaction ends; None where that was deleted."""
    try:
        return lock(revision.deployment)
    except NotFound:
        return None
