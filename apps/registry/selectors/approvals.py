"""Lists of promotion requests, in a constant number of statements. What may be decided is asked of the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Actor, Level, Role
from apps.registry.models import ApproverGroup, Decision, GateResult, GateState, PromotionRequest
from apps.registry.policies import Rules

# A badge that says more than this helps nobody.
MOST_COUNTED = 100
_RANK = list(Role)
_LEVELS = [level.value for level in Level]


@dataclass
class Line:
    """A request as lists show it: how its gates stand and how many approvals it has, in this round."""

    request: PromotionRequest
    needed: int
    approvals: int = 0
    states: Counter[str] = field(default_factory=Counter)

    @property
    def gates(self) -> int:
        return self.states.total()

    @property
    def failed(self) -> int:
        return self.states[GateState.FAILED]

    @property
    def pending(self) -> int:
        return self.states[GateState.PENDING]


def to_decide(actor: Actor) -> QuerySet[PromotionRequest]:
    """Open requests on which the actor's word is wanted: among the approvers, not their own, no word in this round.

    The same rule as `deciding.approvers_of`, which has the last word, asked from the other side.
    """
    said = Decision.objects.filter(request=OuterRef("pk"), round=OuterRef("round"), user=actor.user_id)
    found = _fetched(PromotionRequest.objects.open().visible_to(actor)).filter(_named(actor))
    mine = Q(rules__allows_self_approval=False) & _own(actor)
    return found.exclude(mine).exclude(Exists(said)).order_by("created_ms", "pk")


def count_to_decide(actor: Actor) -> int:
    """How many wait for the actor; no further than `MOST_COUNTED`."""
    return to_decide(actor).order_by()[:MOST_COUNTED].count() if actor.user_id else 0


def asked_by(actor: Actor) -> QuerySet[PromotionRequest]:
    """What the actor asked for, newest first."""
    found = PromotionRequest.objects.visible_to(actor).filter(requester_id=actor.user_id or 0)
    return _fetched(found).order_by("-created_ms", "-pk")


def decided_by(actor: Actor) -> QuerySet[PromotionRequest]:
    """On what the actor said a word, newest first."""
    words = Decision.objects.filter(request=OuterRef("pk"), user=actor.user_id or 0)
    return _fetched(PromotionRequest.objects.visible_to(actor)).filter(Exists(words)).order_by("-created_ms", "-pk")


def all_for(actor: Actor) -> QuerySet[PromotionRequest]:
    """Every request about a model that the actor may read, newest first."""
    return _fetched(PromotionRequest.objects.visible_to(actor)).order_by("-created_ms", "-pk")


def lines_of(requests: Iterable[PromotionRequest]) -> list[Line]:
    """The requests with their gates and approvals: two statements, however many there are."""
    lines = {one.pk: Line(one, Rules.from_json(one.rules).approvals) for one in requests}
    of_round = {"request__in": list(lines), "round": F("request__round")}
    for request_id, state in GateResult.objects.filter(**of_round).order_by().values_list("request_id", "state"):
        lines[request_id].states[state] += 1
    words = Decision.objects.filter(**of_round, approves=True).order_by()
    for request_id in words.values_list("request_id", flat=True):
        lines[request_id].approvals += 1
    return list(lines.values())


def _fetched(found: QuerySet[PromotionRequest]) -> QuerySet[PromotionRequest]:
    return found.select_related("version__model__team")


def _named(actor: Actor) -> Q:
    """Whose word the rules want: those of a role, of a team, of a group; without a policy, those with the right."""
    groups = ApproverGroup.objects.filter(members=actor.user_id or 0).order_by().values_list("pk", flat=True)
    named = Q(rules__approver_team__in=list(actor.roles)) | Q(rules__approver_group__in=list(groups))
    if actor.is_admin:
        named |= Q(rules__approver_role__in=["site", *_RANK])
    for role, teams in _teams_by_role(actor).items():
        wanted = _RANK[: _RANK.index(role) + 1]
        named |= Q(version__model__team_id__in=teams, rules__approver_role__in=wanted)
    return Q(rules__scope="") & _holds_right(actor) | ~Q(rules__scope="") & named


def _holds_right(actor: Actor) -> Q:
    if actor.is_admin:
        return Q()
    holds = Q(pk__in=[])
    for role, teams in _teams_by_role(actor).items():
        holds |= Q(version__model__team_id__in=teams, rules__approver_level__in=_up_to(role.level))
    granted: dict[int, list[int]] = defaultdict(list)
    grants = Grant.objects.held_by(actor, ObjectKind.REGISTERED_MODEL).order_by()
    for model_id, level in grants.values_list("object_id", "level"):
        granted[level].append(model_id)
    for level, models in granted.items():
        holds |= Q(version__model_id__in=models, rules__approver_level__in=_up_to(level))
    return holds


def _own(actor: Actor) -> Q:
    """What the actor asked for or made, by themselves or by a service account that they hold."""
    me = Q(requester_id=actor.user_id) | Q(version__owner_id=actor.user_id)
    both = ("requester", "version__owner")
    for who in both:
        service = Q(**{f"{who}__is_service": True})
        # Where an account is gone, nobody knows who held it.
        gone = Q(**{f"{who}__isnull": True})
        if not actor.is_admin:
            administered = [team for team, role in actor.roles.items() if role is Role.ADMIN]
            service &= Q(**{f"{who}__home_team_id__in": administered})
            gone &= Q(version__model__team_id__in=administered)
        me |= service | gone
    return me


def _teams_by_role(actor: Actor) -> dict[Role, list[int]]:
    teams: dict[Role, list[int]] = defaultdict(list)
    for team_id, role in actor.roles.items():
        teams[role].append(team_id)
    return teams


def _up_to(level: int) -> list[int]:
    return [each for each in _LEVELS if each <= level]
