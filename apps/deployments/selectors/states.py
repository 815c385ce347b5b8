"""How deployments stand: one word and one sentence for each, which pages, API and command line share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.deployments.actions.common import now_ms
from apps.deployments.configuration import Config
from apps.deployments.models import ALIVE_MS, Deployment, InstanceState, Revision, RevisionState, ServingHost
from apps.deployments.state_words import StateWord

_SHOWN = 300
_COUNTED = ("weight", "alive", "ready", "failing")
_MOVING = (RevisionState.PENDING, RevisionState.BUILDING, RevisionState.STARTING)


@dataclass(frozen=True, slots=True)
class Part:
    """A revision that serves, is wanted, or is a canary: its percent of the traffic, and instances by what they do.

    `failing` are those that don't answer any more, or were begun after one that ended by itself and never answered.
    `has_lost`: one ended by itself, and none was begun since.
    """

    revision: Revision
    weight: int = 0
    alive: int = 0
    ready: int = 0
    failing: int = 0
    has_lost: bool = False

    @property
    def wanted(self) -> int:
        """How many instances it should have."""
        return self.revision.instances_wanted

    @property
    def missing(self) -> int:
        """How many of those don't answer."""
        return max(0, self.wanted - self.ready)

    @property
    def is_moving(self) -> bool:
        """Whether it is on its way to be ready."""
        return self.revision.state in _MOVING

    @property
    def is_lacking(self) -> bool:
        """Whether instances are missing since some ended by themselves or don't answer, and not since they start."""
        return self.missing > 0 and (self.failing > 0 or self.has_lost)


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """`sentence` is plain text for people. `is_serving`: calls are answered now.

    `parts`: revisions that matter, what is wanted, has traffic or is a canary; those with most traffic first.
    """

    deployment: Deployment
    word: StateWord
    sentence: str
    is_serving: bool = False
    parts: tuple[Part, ...] = ()

    @property
    def wanted(self) -> Part | None:
        """What all is moving to."""
        return next((part for part in self.parts if part.revision.pk == self.deployment.wanted_id), None)

    @property
    def serving(self) -> tuple[Part, ...]:
        """Those with traffic, the largest share first."""
        return tuple(part for part in self.parts if part.weight)

    @property
    def canaries(self) -> tuple[Part, ...]:
        """Those that somebody gives traffic by hand."""
        return tuple(part for part in self.parts if part.revision.is_canary)

    @property
    def canary(self) -> Part | None:
        """One that is tried beside what is wanted."""
        return next((part for part in self.canaries if part.revision.pk != self.deployment.wanted_id), None)

    @property
    def shown(self) -> Part | None:
        """What callers meet: most of the traffic, else what is wanted."""
        return self.serving[0] if self.serving else self.wanted

    @property
    def is_moving(self) -> bool:
        """Whether something is expected to change by itself soon."""
        return not self.deployment.is_stopped and any(part.is_moving for part in self.parts)


def state_of(deployment: Deployment, *, with_versions: bool = False) -> DeploymentState:
    """How one deployment stands. Statements as those of `states_of`."""
    return states_of([deployment], with_versions=with_versions)[deployment.pk]


def states_of(deployments: Sequence[Deployment], *, with_versions: bool = False) -> dict[int, DeploymentState]:
    """How each stands, by its key. Two statements, however many they are.

    A third where revisions are to have their version, with model and team, and their build at hand.
    """
    if not deployments:
        return {}
    parts: dict[int, list[Part]] = {deployment.pk: [] for deployment in deployments}
    for revision in _revisions(deployments):
        counts = {name: getattr(revision, f"{name}_count") for name in _COUNTED}
        parts[revision.deployment_id].append(Part(revision, **counts, has_lost=_has_lost(revision)))
    if with_versions:
        _add_versions(part.revision for found in parts.values() for part in found)
    alive = ServingHost.objects.filter(stopped_ms=None, seen_ms__gt=now_ms() - ALIVE_MS)
    offered = frozenset(str(target) for targets in alive.values_list("targets", flat=True) for target in targets)
    return {each.pk: _stands(each, tuple(parts[each.pk]), offered) for each in deployments}


def _has_lost(revision: Revision) -> bool:
    ended, begun = getattr(revision, "lost_ms", None), getattr(revision, "begun_ms", None)
    return ended is not None and ended > (begun or 0)


def _add_versions(revisions: Iterable[Revision]) -> None:
    shown = {revision.pk: revision for revision in revisions}
    for found in Revision.objects.filter(pk__in=shown).select_related("version__model__team", "build"):
        shown[found.pk].version, shown[found.pk].build = found.version, found.build


def _revisions(deployments: Sequence[Deployment]) -> QuerySet[Revision]:
    """Those that count for how deployments stand, the one with most traffic first, with their instances counted."""
    wanted = [each.wanted_id for each in deployments if each.wanted_id is not None]
    alive = Q(instances__ended_ms__isnull=True)
    again = Q(instances__state=InstanceState.STARTING, instances__failures__gt=0)
    failing = again | Q(instances__state=InstanceState.UNHEALTHY)
    by_itself = Q(instances__drain_ms=None, instances__ended_ms__gte=F("state_ms"))
    found = Revision.objects.filter(deployment__in=[each.pk for each in deployments])
    found = found.filter(Q(pk__in=wanted) | Q(routes__weight__gt=0) | Q(is_canary=True))
    return found.annotate(
        weight_count=Coalesce(Max("routes__weight"), 0),
        alive_count=Count("instances", filter=alive),
        ready_count=Count("instances", filter=alive & Q(instances__state=InstanceState.READY)),
        failing_count=Count("instances", filter=alive & failing),
        lost_ms=Max("instances__ended_ms", filter=by_itself),
        begun_ms=Max("instances__started_ms"),
    ).order_by("-weight_count", "-number")


def _stands(deployment: Deployment, parts: tuple[Part, ...], offered: Collection[str]) -> DeploymentState:
    if deployment.is_stopped:
        return DeploymentState(deployment, StateWord.STOPPED, _stopped_words(parts), parts=parts)
    wanted = next((part for part in parts if part.revision.pk == deployment.wanted_id), None)
    is_serving = any(part.weight and part.ready for part in parts)
    if wanted is None:
        return DeploymentState(deployment, StateWord.PENDING, _("It has no revision yet."), is_serving, parts)
    word, sentence = _of_wanted(wanted, offered)
    if word == StateWord.READY:
        word, sentence = _of_all(parts, deployment, offered)
        if word == StateWord.DEGRADED and not is_serving:
            word = StateWord.UNHEALTHY
    elif word == StateWord.FAILED and is_serving:
        word = StateWord.DEGRADED
    if deployment.wanted_id and not wanted.weight and word != StateWord.READY:
        sentence = f"{sentence} {_meanwhile(parts)}".strip()
    return DeploymentState(deployment, word, sentence, is_serving, parts)


def _of_wanted(wanted: Part, offered: Collection[str]) -> tuple[StateWord, str]:
    """How far what is wanted has come; `READY` stands for: it has its traffic, look at the whole.

    `offered` are the targets of the hosts that are alive.
    """
    revision, name = wanted.revision, _named(wanted.revision)
    if revision.state == RevisionState.FAILED:
        return StateWord.FAILED, _("%(revision)s failed: %(why)s") % {"revision": name, "why": _why(revision)}
    if wanted.weight and (wanted.ready or wanted.failing or not _is_begun_anew(revision)):
        return StateWord.READY, ""
    if waits := _waits_for_host(revision, offered):
        return StateWord.PENDING, waits
    match revision.state:
        case RevisionState.BUILDING:
            return StateWord.BUILDING, _("The environment of %(revision)s is being made.") % {"revision": name}
        case RevisionState.STARTING:
            return StateWord.STARTING, _starting_words(wanted)
        case RevisionState.READY:
            return StateWord.STARTING, _("%(revision)s is ready, and gets its traffic now.") % {"revision": name}
        case RevisionState.STOPPED:
            return StateWord.PENDING, _("%(revision)s is about to start again.") % {"revision": name}
    return StateWord.PENDING, _("%(revision)s is about to be built.") % {"revision": name}


def _is_begun_anew(revision: Revision) -> bool:
    """Whether it was stopped with its traffic, and is on its way back."""
    return revision.state in (*_MOVING, RevisionState.STOPPED)


def _waits_for_host(revision: Revision, offered: Collection[str]) -> str:
    """Why nobody starts its instances now; empty where somebody does."""
    target = str(revision.config.get("target", Config().target.value))
    said = {"revision": _named(revision), "target": target}
    if not offered:
        return _("%(revision)s waits: no host is there that serves. Start slipway serving.") % said
    if target not in offered:
        return _("%(revision)s waits: no host that is alive offers the target %(target)s.") % said
    return ""


def _of_all(parts: tuple[Part, ...], deployment: Deployment, offered: Collection[str]) -> tuple[StateWord, str]:
    """How what has traffic does."""
    serving = [part for part in parts if part.weight]
    # What was lost goes before what is on its way.
    for part in sorted(serving, key=lambda part: not part.is_lacking):
        if part.missing:
            return _of_missing(part, _waits_for_host(part.revision, offered))
    if deployment.port_error:
        return StateWord.DEGRADED, deployment.port_error
    failed = next((part for part in parts if not part.weight and part.revision.state == RevisionState.FAILED), None)
    if failed is not None:
        said = {"revision": _named(failed.revision), "why": _why(failed.revision)}
        return StateWord.READY, f"{_serves(serving)} " + _("The canary, %(revision)s, failed: %(why)s") % said
    return StateWord.READY, _serves(serving)


def _of_missing(part: Part, waits: str) -> tuple[StateWord, str]:
    """A revision with traffic and too few instances: they are on their way, or some that served were lost."""
    said = {"ready": part.ready, "wanted": part.wanted, "revision": _named(part.revision)}
    if not part.ready:
        if not part.is_lacking:
            return (StateWord.PENDING, waits) if waits else (StateWord.STARTING, _starting_words(part))
        text = _("No instance of %(revision)s answers now.") % said
        then = waits or _with_why(_("They are started anew."), part.revision)
        return StateWord.DEGRADED, f"{text} {then}"
    text = ngettext(
        "%(ready)d of %(wanted)d instance of %(revision)s answers.",
        "%(ready)d of %(wanted)d instances of %(revision)s answer.",
        part.wanted,
    )
    if not part.is_lacking and not waits:
        return StateWord.STARTING, text % said + " " + _("The others are starting.")
    return StateWord.DEGRADED, f"{text % said} {waits}" if waits else _with_why(text % said, part.revision)


def _starting_words(part: Part) -> str:
    said = {"ready": part.ready, "wanted": part.wanted, "revision": _named(part.revision)}
    text = _("%(revision)s starts: %(ready)d of %(wanted)d instances answer.") % said
    return _with_why(text, part.revision) if part.failing else text


def _stopped_words(parts: tuple[Part, ...]) -> str:
    ending = sum(part.alive for part in parts)
    if not ending:
        return _("Nothing of it runs, and its address answers 503.")
    text = ngettext("%(count)d instance of it is still ending.", "%(count)d instances of it are still ending.", ending)
    return text % {"count": ending}


def _serves(serving: Sequence[Part]) -> str:
    if len(serving) == 1:
        return _("%(revision)s serves.") % {"revision": _named(serving[0].revision)}
    shares = ", ".join(f"{_named(part.revision)} {part.weight} %" for part in serving)
    return _("Its traffic is split: %(shares)s.") % {"shares": shares}


def _meanwhile(parts: tuple[Part, ...]) -> str:
    serving = [_named(part.revision) for part in parts if part.weight and part.ready]
    return _("%(revisions)s serves meanwhile.") % {"revisions": ", ".join(serving)} if serving else ""


def _named(revision: Revision) -> str:
    said = {"number": revision.number, "version": revision.version_number}
    return _("Revision %(number)d (version %(version)d)") % said


def _with_why(text: str, revision: Revision) -> str:
    return f"{text} {_first_line(revision.message)}".strip()


def _why(revision: Revision) -> str:
    return _first_line(revision.message) or _("nobody knows why; its log may tell.")


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:_SHOWN] if lines else ""
