"""Lists of deployments, as pages and the API narrow them, and what rows of pages show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from apps.core.actor import Actor
from apps.deployments.actions.common import now_ms
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Following, Route, TrafficMinute
from apps.deployments.selectors.states import DeploymentState, states_of
from apps.deployments.selectors.traffic import HOUR, Traffic, traffic_of
from apps.deployments.state_words import StateWord

SORTS = {
    "name": "name",
    "model": "model__name",
    "requests": "last_requests",
    "updated": "updated_ms",
    "team": "team__name",
}
_MOST = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a list of deployments is narrowed; what is None or empty narrows nothing.

    `text` is in names, or in names of models; `model` is a name and `model_id` a key; `version` is served or wanted.
    """

    text: str | None = None
    name: str | None = None
    team: str | None = None
    model: str | None = None
    model_id: int | None = None
    version: int | None = None
    target: str | None = None
    state: str | None = None
    is_proposed: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether something is left out."""
        return any(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A deployment as lists show it."""

    deployment: Deployment
    state: DeploymentState
    traffic: Traffic
    config: Config


def deployments_matching(actor: Actor, wanted: Wanted) -> QuerySet[Deployment]:
    """Deployments of the actor's lists with what they name. Two statements more where a state is wanted, unless that
    is `stopped`.
    """
    found: QuerySet[Deployment] = Deployment.objects.listed_for(actor)
    if wanted.name:
        found = found.filter(name__iexact=wanted.name)
    if wanted.text:
        found = found.filter(Q(name__icontains=wanted.text) | Q(model__name__icontains=wanted.text))
    if wanted.team:
        found = found.filter(team__name=wanted.team)
    if wanted.model:
        found = found.filter(model__name=wanted.model)
    if wanted.model_id is not None:
        found = found.filter(model=wanted.model_id)
    if wanted.is_proposed:
        found = found.exclude(follows=Following.FIXED).filter(proposed__isnull=False)
    found = _with_target(_with_version(found, wanted.version), wanted.target)
    found = _in_state(found, wanted.state)
    return found.select_related("team", "model__team", "owner", "wanted", "proposed")


def in_order(found: QuerySet[Deployment], sort: str) -> QuerySet[Deployment]:
    """Deployments by a key of SORTS, perhaps after a `-`; by name where it is none."""
    hour = TrafficMinute.objects.filter(revision__deployment=OuterRef("pk"), minute__gt=now_ms() // 60_000 - HOUR)
    summed = hour.order_by().values("revision__deployment").annotate(all=Sum("requests")).values("all")
    column = F(SORTS.get(sort.removeprefix("-"), "name"))
    ordered = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    return found.annotate(last_requests=Subquery(summed)).order_by(ordered, "name")


def rows_of(deployments: Iterable[Deployment]) -> list[DeploymentRow]:
    """Deployments with what their rows show: six statements, however many there are."""
    found = list(deployments)
    states, traffic = states_of(found, with_versions=True), traffic_of(found)
    return [DeploymentRow(one, states[one.pk], traffic[one.pk], _config_of(states[one.pk])) for one in found]


def deployments_of_version(actor: Actor, version_id: int) -> list[Deployment]:
    """Those that the actor may read and that serve a version, or are about to; by name."""
    serving = Route.objects.filter(weight__gt=0, revision__version=version_id).values("deployment")
    found = Deployment.objects.visible_to(actor).filter(Q(pk__in=serving) | Q(wanted__version=version_id))
    return list(found.select_related("team", "model__team", "owner", "proposed").order_by("name")[:_MOST])


def _config_of(state: DeploymentState) -> Config:
    return Config.from_json(state.shown.revision.config if state.shown else state.deployment.config)


def _with_target(found: QuerySet[Deployment], target: str | None) -> QuerySet[Deployment]:
    """The usual target is left out of what is kept."""
    if not target:
        return found
    usual = Config().target.value
    return found.filter(config__target=target) if target != usual else found.filter(config__target__isnull=True)


def _with_version(found: QuerySet[Deployment], number: int | None) -> QuerySet[Deployment]:
    if number is None:
        return found
    routed = Route.objects.filter(deployment=OuterRef("pk"), weight__gt=0, revision__version_number=number)
    return found.filter(Q(wanted__version_number=number) | Exists(routed))


def _in_state(found: QuerySet[Deployment], word: str | None) -> QuerySet[Deployment]:
    """How one stands is found from several rows, so each is looked at, but for those that are stopped. Of those only
    there may be many: of the others each has processes somewhere.
    """
    if not word:
        return found
    if word == StateWord.STOPPED:
        return found.filter(is_stopped=True)
    going = found.filter(is_stopped=False).only("is_stopped", "wanted", "port_error")
    states = states_of(list(going))
    return found.filter(pk__in=[key for key, state in states.items() if state.word == word])
