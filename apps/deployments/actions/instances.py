"""What becomes of instances: the supervisor that decides makes rows, and that of their host writes what it observes.

Who decides writes `under` its lease, a host `of_host`: in a transaction in which nobody else has either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Max

from apps.core.actor import Actor
from apps.deployments import telling
from apps.deployments.actions.common import move_epoch
from apps.deployments.actions.leading import Lease, database_ms, of_host, under
from apps.deployments.models import Instance, InstanceLog, InstanceState, Revision, RevisionState, ServingHost
from apps.deployments.targets.base import LogPiece, Started

MOST_SAID = 4096
# Of each instance's log so much stays, about.
LOG_BYTES = 256 * 1024
# In a row: before it was ever ready a revision is given up then; of what serves people are told.
MOST_FAILURES = 5
STARTABLE = (RevisionState.STARTING, RevisionState.READY)


def add_instance(
    actor: Actor, *, lease: Lease, revision: Revision, slot: int, host: str, failures: int, key: str = ""
) -> Instance | None:
    """Let a host start an instance in a place; None where the revision is not to run any more, or the place is taken
    on that host. Raises `Deposed`.
    """
    with under(lease):
        alive = Revision.objects.select_for_update(of=("self",), no_key=True).filter(pk=revision.pk)
        taken = Instance.objects.alive().filter(revision=revision, slot=slot, host=host, drain_ms__isnull=True)
        if not alive.filter(state__in=STARTABLE).exists() or taken.exists():
            return None
        if failures == MOST_FAILURES:
            # Once for each row of failures: what has traffic is tried on.
            telling.tell_ailing(actor, revision)
        return Instance.objects.create(
            revision=revision,
            slot=slot,
            host=host,
            target=revision.config.get("target", "process"),
            failures=failures,
            key=key,
            started_ms=database_ms(),
        )


def drain_instances(actor: Actor, *, lease: Lease, instances: Sequence[Instance], reason: str) -> int:
    """Let gateways send them nothing new, and their hosts end them after a moment; how many. Raises `Deposed`."""
    with under(lease):
        going = Instance.objects.alive().filter(pk__in=[each.pk for each in instances], drain_ms__isnull=True)
        values = {"state": InstanceState.DRAINING, "drain_ms": database_ms(), "message": reason[:MOST_SAID]}
        count = going.update(**values)
        if count:
            move_epoch()
    return count


def lose_instances(actor: Actor, *, lease: Lease, instances: Sequence[Instance], reason: str) -> None:
    """Give up those of a host that is gone for so long that they ended themselves. Raises `Deposed`."""
    with under(lease):
        gone = Instance.objects.alive().filter(pk__in=[each.pk for each in instances])
        gone.update(state=InstanceState.ENDED, ended_ms=database_ms(), message=reason[:MOST_SAID])
        move_epoch()


def note_started(actor: Actor, *, host: ServingHost, instance: Instance, started: Started) -> None:
    """How it is found again, and reached. From now on its time to answer is counted. Raises `Deposed`."""
    values = {
        "started_ms": database_ms(),
        "handle": dict(started.handle),
        "address": started.address,
        "isolation": started.isolation,
        "unenforced": list(started.unenforced),
        "message": "",
    }
    with of_host(host):
        Instance.objects.alive().filter(pk=instance.pk).update(**values)


def note_doing(actor: Actor, *, host: ServingHost, instance: Instance, message: str) -> None:
    """What is done for it before it starts: a line. Raises `Deposed`."""
    with of_host(host):
        starting = Instance.objects.alive().filter(pk=instance.pk, state=InstanceState.STARTING)
        starting.update(message=_kept(message))


def note_seen(actor: Actor, *, host: ServingHost, instance: Instance, state: InstanceState, **facts: Any) -> None:
    """That it answers now, or does not: `facts` are `address`, `memory_bytes`, `message`. Raises `Deposed`.

    One that drains goes on doing so, whatever it answers.
    """
    with of_host(host):
        found = Instance.objects.alive().filter(pk=instance.pk, drain_ms__isnull=True)
        now = database_ms()
        if state == InstanceState.READY:
            found.filter(ready_ms__isnull=True).update(ready_ms=now)
        if found.update(state=state, **facts) and state != InstanceState.STARTING:
            move_epoch()


def note_memory(actor: Actor, *, host: ServingHost, used: dict[int, int]) -> None:
    """How many bytes instances have, by row's number. Raises `Deposed`."""
    with of_host(host):
        rows = Instance.objects.alive().filter(pk__in=list(used)).only("pk")
        changed = list(rows)
        for row in changed:
            row.memory_bytes = used[row.pk]
        Instance.objects.bulk_update(changed, ["memory_bytes"])


def note_ended(
    actor: Actor, *, host: ServingHost, instance: Instance, message: str, exit_code: int | None = None
) -> None:
    """That nothing of it is there any more, and why; once. Raises `Deposed`."""
    with of_host(host):
        values = {"state": InstanceState.ENDED, "ended_ms": database_ms(), "exit_code": exit_code}
        if Instance.objects.alive().filter(pk=instance.pk).update(**values, message=_kept(message)):
            move_epoch()


def note_interrupted(actor: Actor, *, host: ServingHost, instances: Iterable[Instance], reason: str) -> None:
    """That a host ends them since it stops itself, which is no failure of theirs. Raises `Deposed`."""
    with of_host(host):
        going = Instance.objects.alive().filter(pk__in=[each.pk for each in instances], drain_ms__isnull=True)
        values = {"state": InstanceState.DRAINING, "drain_ms": database_ms(), "message": reason[:MOST_SAID]}
        if going.update(**values):
            move_epoch()


def keep_log(actor: Actor, *, host: ServingHost, instance: Instance, piece: LogPiece) -> None:
    """A piece of its log, which follows those that are kept; the oldest go. Raises `Deposed`."""
    if not piece.text:
        return
    with of_host(host):
        if not Instance.objects.filter(pk=instance.pk).exists():
            return
        row = InstanceLog(
            instance_id=instance.pk, start=piece.start, end=piece.end, text=piece.text.replace("\x00", " ")
        )
        InstanceLog.objects.bulk_create([row], ignore_conflicts=True)
        newest = InstanceLog.objects.filter(instance=instance.pk).aggregate(end=Max("end"))["end"] or 0
        InstanceLog.objects.filter(instance=instance.pk, end__lt=newest - LOG_BYTES).delete()


def want_log(actor: Actor, *, instance: Instance) -> None:
    """Somebody reads its log: its host writes on what comes, for a while."""
    Instance.objects.alive().filter(pk=instance.pk).update(log_wanted_ms=database_ms())


def _kept(message: str) -> str:
    """The end of what was said: there stands why."""
    clean = message.replace("\x00", " ")
    return clean if len(clean) <= MOST_SAID else "…" + clean[1 - MOST_SAID :]
