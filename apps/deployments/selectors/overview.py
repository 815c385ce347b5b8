"""What a deployment's page says first: how far a change is, what is wrong, and what to do about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from apps.deployments.models import Deployment, Instance, Revision, RevisionState, Route
from apps.deployments.selectors.hosts import Hosts, hosts
from apps.deployments.selectors.states import DeploymentState, Part
from apps.deployments.state_words import StateWord, state_name
from apps.projects.models import RunState
from apps.projects.selectors.waiting import reasons_of
from apps.projects.selectors.workers import alive_workers
from apps.registry.stages import Stage

LOG_LINES = 40


class Remedy(StrEnum):
    """What a notice offers, beside its words."""

    NONE = ""
    SUPERVISOR = "supervisor"
    WORKER = "worker"
    RETRY = "retry"
    PORT = "port"
    BUILD = "build"
    LOGS = "logs"
    DEPLOY = "deploy"


@dataclass(frozen=True, slots=True)
class Said:
    """A notice: its tone (ok, warn, bad, or nothing), a sentence, perhaps the end of a log, and what to do."""

    tone: str
    text: str
    remedy: Remedy = Remedy.NONE
    log: str = ""
    revision: Revision | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a change: its name, and whether it is `done`, `now`, `ahead` or `failed`."""

    name: str
    state: str


_ORDER = [RevisionState.PENDING, RevisionState.BUILDING, RevisionState.STARTING, RevisionState.READY]


def steps_of(side: Part, failed_at: RevisionState | None = None) -> list[Step]:
    """How far a revision is on its way to traffic."""
    names = [*(state_name(state) for state in _ORDER), _("Traffic")]
    revision = side.revision
    if revision.state == RevisionState.FAILED:
        at = _ORDER.index(failed_at or _failed_at(revision))
        return [
            Step(name, "failed" if place == at else "done" if place < at else "ahead")
            for place, name in enumerate(names)
        ]
    if revision.state == RevisionState.STOPPED:
        return [Step(name, "ahead") for name in names]
    at = _ORDER.index(RevisionState(revision.state))
    if revision.state == RevisionState.READY:
        at = len(names) if side.weight else at + 1
    return [Step(name, "done" if place < at else "now" if place == at else "ahead") for place, name in enumerate(names)]


def notices_of(state: DeploymentState) -> list[Said]:
    """What is wrong or waited for, the worst first. Some twelve statements at most, and three where all is well.

    What is stopped says so in its sentence; what failed before is said still.
    """
    deployment = state.deployment
    if deployment.is_stopped:
        return [one for one in _of_wanted(state) if one.remedy is Remedy.RETRY]
    found = hosts()
    said = [*_of_hosts(state, found), *_of_wanted(state), *_of_routed(state, found), *_of_port(deployment)]
    return sorted([*said, *_of_registry(state)], key=lambda one: ("bad", "warn", "ok", "").index(one.tone))


def why_not_called(state: DeploymentState) -> str:
    """Why there is nothing to call; empty where something answers, or answered and is expected back."""
    wanted = state.wanted
    match state.word:
        case StateWord.STOPPED:
            return _("It is stopped. Start it to call it.")
        case StateWord.FAILED:
            number = wanted.revision.number if wanted else 0
            return _("Nothing answers: revision %s could not be made ready. What went wrong is said above.") % number
        case StateWord.PENDING | StateWord.BUILDING | StateWord.STARTING if not state.is_serving:
            return _("Nothing answers yet. Once an instance is ready it is called from here.")
    return ""


def fingerprint(deployment: Deployment) -> str:
    """Changes when something that an open page shows did, traffic left out. Four statements."""
    revisions = Revision.objects.filter(deployment=deployment).order_by("pk")
    routes = Route.objects.filter(deployment=deployment).order_by("pk")
    alive = Instance.objects.alive().filter(revision__deployment=deployment).order_by("pk")
    seen: list[Any] = [
        (deployment.is_stopped, deployment.wanted_id, deployment.proposed_id, deployment.port_error),
        (deployment.updated_ms, deployment.description),
        list(revisions.values_list("pk", "state", "state_ms", "message", "is_canary", "instances_wanted", "build")),
        list(routes.values_list("revision", "weight")),
        list(alive.values_list("pk", "state", "message")),
        [sorted(host.targets) for host in hosts().alive],
    ]
    return hashlib.blake2b(repr(seen).encode(), digest_size=12).hexdigest()


def unbuilt(state: DeploymentState, instances: Iterable[Instance]) -> list[tuple[Revision, str, str]]:
    """Revisions of which nothing has run yet and that have a build: what is to be read is its log.

    With each the first sentence of what it came to, and the end of the log that is kept with it.
    """
    ran = {one.revision_id for one in instances}
    revisions = [side.revision for side in state.parts if side.revision.pk not in ran]
    return [(one, *end_of(one.message)) for one in revisions if one.build_id is not None]


def end_of(message: str, lines: int = LOG_LINES) -> tuple[str, str]:
    """A message as its first sentence, and the end of the log that follows it."""
    first, _nothing, rest = message.strip().partition("\n")
    return first, "\n".join(rest.strip("\n").splitlines()[-lines:])


def _failed_at(revision: Revision) -> RevisionState:
    build = revision.build
    is_built = build is None or build.state == RunState.FINISHED
    return RevisionState.STARTING if is_built else RevisionState.BUILDING


def _of_hosts(state: DeploymentState, found: Hosts) -> Iterator[Said]:
    if not found.alive:
        again = (
            _("nothing is watched, and what ends is not started again") if state.serving else _("nothing is started")
        )
        yield Said(
            "bad", _("No serving supervisor is alive, so %(what)s. Start one:") % {"what": again}, Remedy.SUPERVISOR
        )
        return
    wanted = state.wanted
    target = str(wanted.revision.config.get("target", "process")) if wanted else ""
    if wanted and not found.offering(target) and wanted.is_moving:
        words = {"target": target}
        yield Said("bad", _("No host that is alive offers the target %(target)s: it waits for one that does.") % words)


def _of_wanted(state: DeploymentState) -> Iterator[Said]:
    for side in state.parts:
        revision = side.revision
        words = {"n": revision.number, "model": revision.model_name, "version": revision.version_number}
        if revision.state == RevisionState.FAILED:
            why, log = end_of(revision.message)
            text = _("Revision %(n)s (%(model)s version %(version)s) could not be made ready.") % words
            yield Said("bad", f"{text} {why}".strip(), Remedy.RETRY, log, revision)
        elif revision.state == RevisionState.BUILDING and revision.build is not None:
            yield from _of_build(revision)
        elif side.is_moving and revision.message:
            why, log = end_of(revision.message)
            yield Said("warn" if log else "", why, Remedy.LOGS if log else Remedy.NONE, log, revision)


def _of_build(revision: Revision) -> Iterator[Said]:
    build = revision.build
    if build is None or build.state != RunState.QUEUED:
        return
    if not list(alive_workers()):
        yield Said("warn", _("The build waits: no worker is alive. Start one:"), Remedy.WORKER, revision=revision)
        return
    reasons = reasons_of(build)
    if reasons:
        yield Said("", _("The build waits.") + " " + " ".join(reasons), Remedy.BUILD, revision=revision)


def _of_routed(state: DeploymentState, found: Hosts) -> Iterator[Said]:
    # Also while a change is made, or after it failed: what serves is what callers meet.
    if state.serving and not state.is_serving:
        if found.alive and not any(side.is_lacking for side in state.serving):
            yield Said("", _("Its instances are starting; until one answers callers get 503."), Remedy.LOGS)
            return
        ended = Instance.objects.filter(revision__deployment=state.deployment).exclude(message="")
        last = ended.order_by("-pk").values_list("message", flat=True).first() or ""
        why, log = end_of(last)
        text = _("None of its instances answers now; callers get 503.")
        yield Said("bad", f"{text} {why}".strip(), Remedy.LOGS, log)
    elif state.word == StateWord.DEGRADED:
        short = [side for side in state.serving if side.missing]
        for side in short:
            words = {"n": side.revision.number, "ready": side.ready, "all": side.wanted}
            yield Said("warn", _("Revision %(n)s: %(ready)s of %(all)s instances are ready.") % words, Remedy.LOGS)


def _of_port(deployment: Deployment) -> Iterator[Said]:
    if deployment.port is not None and deployment.port_error:
        words = {"port": deployment.port, "why": deployment.port_error}
        yield Said("bad", _("The port %(port)s can't be had: %(why)s") % words, Remedy.PORT)


def _of_registry(state: DeploymentState) -> Iterator[Said]:
    deployment, wanted = state.deployment, state.wanted
    if wanted is None:
        yield Said("bad", _("It has no revision any more: deploy a version."), Remedy.DEPLOY)
        return
    revision = wanted.revision
    words = {"model": revision.model_name, "n": revision.version_number, "stages": " · ".join(deployment.stages)}
    if revision.version is None:
        yield Said(
            "warn",
            _("%(model)s version %(n)s was deleted from the registry. What runs goes on.") % words,
            Remedy.DEPLOY,
        )
        return
    words["stage"] = revision.version.stage
    if revision.version.stage == Stage.ARCHIVED.value:
        yield Said("warn", _("%(model)s version %(n)s is archived. It goes on serving.") % words, Remedy.DEPLOY)
    elif deployment.stages and revision.version.stage not in deployment.stages:
        text = _(
            "Only versions in %(stages)s may be deployed here; version %(n)s is in %(stage)s now, and goes on serving."
        )
        yield Said("warn", text % words, Remedy.DEPLOY)
