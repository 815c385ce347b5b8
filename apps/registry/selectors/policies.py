"""What pages show of policies: lists with their words, and who could approve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import Membership, Team, User
from apps.core.actor import Actor, Role
from apps.registry import deciding, wording
from apps.registry.access import sets_policies
from apps.registry.models import Policy, RegisteredModel
from apps.registry.policies import PolicyBook, Rules
from apps.registry.stages import ENTERED, Slot

MOST_TEAMS = 50
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A policy with its words. `may_change`: the reader administers what it is of."""

    policy: Policy
    words: list[str]
    gates: list[str]
    may_change: bool


@dataclass(frozen=True, slots=True)
class SlotLine:
    """A slot of a model, the policy that governs it (or none), and the model's own (or none)."""

    slot: Slot
    line: PolicyLine | None
    own: Policy | None

    @property
    def is_overruled(self) -> bool:
        """The model has a policy of its own that a final one overrules."""
        return self.own is not None and self.line is not None and self.line.policy.pk != self.own.pk


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who could approve, of a team or of what a policy names: some names, and how many there are."""

    title: str
    names: list[str]
    count: int

    @property
    def others(self) -> int:
        return self.count - len(self.names)


def policies_for(actor: Actor) -> QuerySet[Policy]:
    """The policies that the actor may see: the site's, the teams', the models'."""
    found = Policy.objects.visible_to(actor).select_related("team", "model__team", "approver_team", "approver_group")
    model, team = F("model__name").asc(nulls_first=True), F("team__name").asc(nulls_first=True)
    return found.order_by(model, team, "-slot_kind", "slot_name", "pk")


def lines_of(actor: Actor, policies: Iterable[Policy]) -> list[PolicyLine]:
    """Policies that were fetched with whom they name, in words. No statement."""
    return [_line(actor, policy) for policy in policies]


def slots_of(actor: Actor, model: RegisteredModel) -> list[SlotLine]:
    """What governs each stage and each protected alias of a model. Two statements."""
    book = PolicyBook.load(model)
    own = {policy.slot: policy for policy in book.own}
    slots = [*(Slot.stage(stage) for stage in ENTERED), *book.aliases]
    keys = [policy.pk for slot in slots if (policy := book.find(slot))]
    found = {policy.pk: policy for policy in policies_for(actor).filter(pk__in=keys)}
    lines = []
    for slot in slots:
        policy = book.find(slot)
        shown = found.get(policy.pk) if policy else None
        lines.append(SlotLine(slot, _line(actor, shown, slot) if shown else None, own.get(slot)))
    return lines


def revision_of(policy: Policy) -> int:
    """The revision that is stored now."""
    stored = Policy.objects.filter(pk=policy.pk).values_list("revision", flat=True).first()
    return stored or policy.revision


def may_change(actor: Actor, policy: Policy) -> bool:
    """Whether the actor administers what the policy is of."""
    team_id = policy.model.team_id if policy.model else policy.team_id
    return sets_policies(actor, team_id)


def approvers(rules: Rules, team: Team | None, model: RegisteredModel | None) -> list[Approvers]:
    """Who could approve by rules that are not stored yet: of a model, of a team's models, or in each team of the site.

    Whose own a request is, is not looked at. A constant number of statements.
    """
    if team is None:
        return [*_in_each_team(rules), *_named(rules)]
    found = deciding.approvers(rules, model or RegisteredModel(pk=0, team_id=team.pk))
    names = list(found.values_list("username", flat=True))
    return [Approvers(team.name, names[: _MOST_NAMES * 6], len(names))]


def _in_each_team(rules: Rules) -> list[Approvers]:
    ranks = list(Role)
    if rules.approver_role not in ranks:
        return []
    teams = list(Team.objects.order_by("name")[:MOST_TEAMS])
    roles = ranks[ranks.index(Role(rules.approver_role)) :]
    members = Membership.objects.filter(team__in=teams, role__in=roles, user__is_active=True, user__is_service=False)
    by_team: dict[int, list[str]] = {team.pk: [] for team in teams}
    for team_id, name in members.order_by("user__username").values_list("team_id", "user__username"):
        by_team[team_id].append(name)
    return [Approvers(team.name, by_team[team.pk][:_MOST_NAMES], len(by_team[team.pk])) for team in teams]


def _named(rules: Rules) -> list[Approvers]:
    """The people who come on top of those by role in the model's team, as far as they can read the model."""
    people = User.objects.filter(is_active=True, is_service=False).order_by("username")
    found = []
    if rules.approver_team:
        found.append((_("people of the team"), people.filter(memberships__team=rules.approver_team)))
    if rules.approver_group:
        found.append((_("the group"), people.filter(approver_groups=rules.approver_group)))
    if rules.approver_role:
        found.append((_("administrators of the site"), people.filter(is_superuser=True)))
    named = [(title, list(some.values_list("username", flat=True))) for title, some in found]
    return [Approvers(title, names[:_MOST_NAMES], len(names)) for title, names in named]


def _line(actor: Actor, policy: Policy, slot: Slot | None = None) -> PolicyLine:
    rules, team, group = Rules.from_policy(policy), policy.approver_team, policy.approver_group
    names = wording.Names(team.name if team else "", group.name if group else "")
    gates = [wording.gate_words(gate) for gate in policy.gates]
    return PolicyLine(policy, wording.words_of(rules, slot or policy.slot, names), gates, may_change(actor, policy))
