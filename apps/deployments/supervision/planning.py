"""From what is there to what has to be done next. Reads nothing and writes nothing, so that each case is a test.

It looks at what is, not at what happened: whatever was missed, done twice or interrupted, the next look finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apps.deployments.actions.instances import MOST_FAILURES
from apps.deployments.models import ALIVE_MS, Instance, InstanceState, Revision, RevisionState, ServingHost
from apps.deployments.supervision.steps import (
    Built,
    Drain,
    Fail,
    Fall,
    Lose,
    Prepare,
    Ready,
    Rest,
    Say,
    Shift,
    Start,
    Step,
    Wake,
)
from apps.deployments.supervision.world import World
from apps.deployments.wants import is_to_run
from apps.projects.models import Build, ProjectRun, RunState

# How long an instance may take until it answers.
START_LIMIT_MS = 10 * 60_000
WELL_MS = 60_000
_LONGEST_WAIT_MS = 60_000


def plan(world: World) -> list[Step]:
    """What to do now, in order."""
    return [step for revision in world.revisions for step in _of_revision(world, revision)]


def wait_ms(failures: int) -> int:
    """How long after a failure the next one is started: at once after the first, then 1, 2, 4 … 60 s."""
    return 0 if failures <= 1 else min(_LONGEST_WAIT_MS, 1000 * 2 ** min(failures - 2, 10))


def failures_after(last: Instance | None) -> int:
    """How many in a row there are after one that ended: none where it was asked to, one where it had been well."""
    if last is None or last.drain_ms is not None:
        return 0
    return 1 if _well_ms(last) >= WELL_MS else last.failures + 1


def _of_revision(world: World, revision: Revision) -> Iterator[Step]:
    if not is_to_run(revision.deployment, revision, world.weights.get(revision.pk, 0), world.now):
        yield from _resting(world, revision)
        return
    match revision.state:
        case RevisionState.STOPPED:
            yield Wake(revision)
        case RevisionState.PENDING:
            yield Prepare(revision)
        case RevisionState.BUILDING:
            yield from _building(world, revision)
        case RevisionState.STARTING | RevisionState.READY:
            yield from _running(world, revision)


def _resting(world: World, revision: Revision) -> Iterator[Step]:
    going = [each for each in world.alive.get(revision.pk, ()) if each.drain_ms is None]
    if going or revision.state not in (RevisionState.STOPPED, RevisionState.FAILED):
        yield Rest(revision, "The deployment was stopped." if revision.deployment.is_stopped else "It is not needed.")
    yield from _lost(world, world.alive.get(revision.pk, ()))


def _building(world: World, revision: Revision) -> Iterator[Step]:
    run = revision.build
    build: Build | None = getattr(run, "build", None)
    if run is None or build is None:
        yield Prepare(revision)
    elif run.state == RunState.FINISHED:
        yield Built(revision, build)
    elif not run.is_active:
        yield Fail(revision, _why_not_built(run))
    else:
        yield from _said(revision, _waiting_words(world, run))


def _why_not_built(run: ProjectRun) -> str:
    return f"The build, run {run.pk}, was {run.state}: {run.message}" if run.message else f"The build was {run.state}."


def _waiting_words(world: World, run: ProjectRun) -> str:
    if run.state == RunState.QUEUED and not world.has_worker:
        return f"It waits for a worker of the queue {run.queue}: none is alive. Start slipway worker."
    is_queued = run.state == RunState.QUEUED
    return f"Run {run.pk}, its build, waits in the queue." if is_queued else f"Run {run.pk} builds it."


def _running(world: World, revision: Revision) -> Iterator[Step]:
    """Instances in their places: as many as are wanted, one in each."""
    alive = world.alive.get(revision.pk, ())
    places = _places(world, revision, alive)
    failed = _given_up(world, revision, places)
    if failed:
        yield Fail(revision, failed)
        return
    extra = [each for each in alive if each.drain_ms is None and places.get(each.slot) is not each]
    extra = [each for each in extra if _is_heard(world, each)]
    if extra:
        yield Drain(extra, "There are more than are wanted.")
    yield from _lost(world, alive)
    missing = [slot for slot in range(revision.instances_wanted) if slot not in places]
    hosts = _hosts(world, revision)
    for slot, host in zip(missing, hosts, strict=False):
        last = _last(world, revision, slot)
        failures = failures_after(last)
        if last is None or world.now >= (last.ended_ms or 0) + wait_ms(failures):
            yield Start(revision, slot, host, failures)
    yield from _standing(world, revision, places, missing, has_host=bool(hosts))


def _standing(
    world: World, revision: Revision, places: dict[int, Instance], missing: Sequence[int], *, has_host: bool
) -> Iterator[Step]:
    ready = sum(each.state == InstanceState.READY for each in places.values())
    if revision.state == RevisionState.STARTING and ready and ready == revision.instances_wanted:
        yield Ready(revision)
        return
    is_routed = bool(world.weights.get(revision.pk, 0))
    words = _words(world, revision, places, missing, ready, has_host=has_host)
    if revision.state == RevisionState.READY:
        if not ready and not is_routed:
            yield Fall(revision, words)
            return
        if revision.pk == revision.deployment.wanted_id and not is_routed:
            yield Shift(revision)
    yield from _said(revision, words)


def _words(
    world: World,
    revision: Revision,
    places: dict[int, Instance],
    missing: Sequence[int],
    ready: int,
    *,
    has_host: bool,
) -> str:
    """What is not as it should be; empty where all is."""
    if missing and not has_host:
        return _no_host(world, revision.config.get("target", "process"))
    for slot in range(revision.instances_wanted):
        instance, last = places.get(slot), _last(world, revision, slot)
        failures = instance.failures if instance is not None else failures_after(last)
        if failures and last is not None and (instance is None or instance.state != InstanceState.READY):
            again = wait_ms(failures) // 1000
            when = f"it is started again after {again} s" if again else "it is started again"
            return f"An instance ended {_times(failures)}; {when}. {last.message}".strip()
        if instance is not None and instance.state == InstanceState.UNHEALTHY:
            return f"Instance {instance.pk} does not answer. {instance.message}".strip()
    return ""


def _no_host(world: World, target: str) -> str:
    lacks = (host.abilities.get("targets", {}).get(target) for host in world.hosts if not _is_silent(world, host))
    why = next((sentences[0] for sentences in lacks if sentences), "")
    return f"No host that is alive offers the target {target}. {why}".strip()


def _times(failures: int) -> str:
    return "by itself" if failures == 1 else f"{failures} times in a row"


def _places(world: World, revision: Revision, alive: Sequence[Instance]) -> dict[int, Instance]:
    """The one instance in each place that counts: one that answers goes before one that doesn't yet."""
    places: dict[int, Instance] = {}
    for instance in alive:
        if instance.drain_ms is not None or instance.slot >= revision.instances_wanted:
            continue
        if not _is_heard(world, instance):
            continue
        known = places.get(instance.slot)
        if known is None or (known.state != InstanceState.READY and instance.state == InstanceState.READY):
            places[instance.slot] = instance
    return places


def _given_up(world: World, revision: Revision, places: dict[int, Instance]) -> str:
    """Why a revision that was not ready yet can't be made ready; empty where it is tried on.

    What has traffic is never given up: nothing else would answer.
    """
    if revision.state != RevisionState.STARTING or world.weights.get(revision.pk, 0):
        return ""
    for slot in range(revision.instances_wanted):
        last = _last(world, revision, slot)
        if last is None or last.drain_ms is not None or slot in places:
            continue
        if last.ready_ms is None and (last.ended_ms or 0) - last.started_ms >= START_LIMIT_MS:
            return last.message or "It was not ready in time."
        if failures_after(last) >= MOST_FAILURES:
            return f"It ended {failures_after(last)} times in a row. {last.message}".strip()
    return ""


def _last(world: World, revision: Revision, slot: int) -> Instance | None:
    """The last that ended in a place since the revision got where it is; what was before counts no more."""
    last = world.ended.get((revision.pk, slot))
    return last if last is not None and (last.ended_ms or 0) >= revision.state_ms else None


def _hosts(world: World, revision: Revision) -> list[str]:
    """Where the next instances of it go, one after the other: to who has fewest of it, then fewest of all."""
    target = revision.config.get("target", "process")
    able = [host for host in world.hosts if target in host.targets and not _is_silent(world, host)]
    if not able:
        return []
    all_of = {host.name: 0 for host in able}
    own = dict(all_of)
    for instances in world.alive.values():
        for each in instances:
            if each.host in all_of and each.drain_ms is None:
                all_of[each.host] += 1
                own[each.host] += each.revision_id == revision.pk
    chosen = []
    for _ in range(revision.instances_wanted):
        name = min(all_of, key=lambda host: (own[host], all_of[host], host))
        own[name], all_of[name] = own[name] + 1, all_of[name] + 1
        chosen.append(name)
    return chosen


def _is_silent(world: World, host: ServingHost) -> bool:
    return world.now - host.seen_ms > ALIVE_MS


def _is_heard(world: World, instance: Instance) -> bool:
    """Whether its host says something of it: of what one has that is silent, or stops, nobody knows for how long."""
    host = next((each for each in world.hosts if each.name == instance.host), None)
    return host is not None and not _is_silent(world, host)


def _lost(world: World, alive: Sequence[Instance]) -> Iterator[Step]:
    gone = [each for each in alive if world.now - world.heard.get(each.host, 0) > world.gone_ms]
    if gone:
        yield Lose(gone, f"The host {gone[0].host} is gone.")


def _said(revision: Revision, message: str) -> Iterator[Step]:
    if revision.message != message:
        yield Say(revision, message)


def _well_ms(instance: Instance) -> int:
    return (instance.ended_ms or 0) - instance.ready_ms if instance.ready_ms is not None else 0
