"""Which policy governs a slot, and what it demands. The rules of a request are kept with it, as `Rules` in JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from django.db.models import Q

from apps.core.actor import Level
from apps.registry.models import Policy, RegisteredModel, RequestKind, WhoMoves
from apps.registry.stages import Slot, Stage, folded

# Who may do without a request, from nobody to many.
_WIDTH = [WhoMoves.NOBODY.value, WhoMoves.SITE.value, WhoMoves.ADMINS.value, WhoMoves.MAINTAINERS.value]
# Where rules come from; not what they demand.
_ORIGIN = ("policy_id", "scope", "revision")

Gate = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a move demands. `scope` says whose policy it is: "model", "team", "site"; empty: the right alone decides.

    Approvers: members of the model's team from `approver_role` on ("site": administrators of the site alone), members
    of the team and of the group with these ids; without a policy whoever holds `approver_level`.
    """

    approvals: int = 1
    approver_level: int = 0
    approver_role: str = ""
    approver_team: int | None = None
    approver_group: int | None = None
    allows_self_approval: bool = False
    ask_level: int = Level.EDIT.value
    override_by: str = WhoMoves.NOBODY.value
    rollback_by: str = WhoMoves.ADMINS.value
    gates: tuple[Gate, ...] = ()
    archives_previous: bool = True
    timeout_hours: int | None = None
    is_final: bool = False
    policy_id: int | None = None
    scope: str = ""
    revision: int = 0

    @property
    def is_governed(self) -> bool:
        """A policy demands it, not the right alone."""
        return bool(self.scope)

    @classmethod
    def from_policy(cls, policy: Policy) -> Rules:
        """What one policy demands."""
        return cls(
            approvals=policy.approvals,
            approver_role=policy.approver_role,
            approver_team=policy.approver_team_id,
            approver_group=policy.approver_group_id,
            allows_self_approval=policy.allows_self_approval,
            ask_level=policy.ask_level,
            override_by=policy.override_by,
            rollback_by=policy.rollback_by,
            gates=tuple(policy.gates),
            archives_previous=policy.archives_previous,
            timeout_hours=policy.timeout_hours,
            is_final=policy.is_final,
            policy_id=policy.pk,
            scope=scope_of(policy),
            revision=policy.revision,
        )

    @classmethod
    def of_right(cls, level: Level) -> Rules:
        """Without a policy: whoever holds the level moves, and says yes to who asks."""
        return cls(
            approver_level=level.value,
            allows_self_approval=True,
            ask_level=Level.READ.value,
            rollback_by=WhoMoves.NOBODY.value,
            archives_previous=False,
        )

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Rules:
        """The rules that a request keeps; names of other releases are left out."""
        known = {field.name for field in fields(cls)}
        given = {name: value for name, value in kept.items() if name in known}
        return cls(**(given | {"gates": tuple(kept.get("gates", ()))}))

    def to_json(self) -> dict[str, Any]:
        """For `PromotionRequest.rules`."""
        return asdict(self) | {"gates": [dict(gate) for gate in self.gates]}

    def demands_as(self, other: Rules) -> bool:
        """Whether both demand the same, whichever policy says so."""
        mine, theirs = self.to_json(), other.to_json()
        return all(mine[name] == theirs[name] for name in mine if name not in (*_ORIGIN, "is_final"))


class PolicyBook:
    """All policies that can govern the slots of one model."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._by_slot = {(scope_of(policy), policy.slot): policy for policy in policies}
        aliases = [(scope, slot) for scope, slot in self._by_slot if not slot.is_stage]
        self._by_folded = {(scope, folded(slot.name)): self._by_slot[scope, slot] for scope, slot in aliases}

    @classmethod
    def load(cls, model: RegisteredModel) -> PolicyBook:
        """One statement."""
        return cls.load_many([model])[model.pk]

    @classmethod
    def load_many(cls, models: Iterable[RegisteredModel]) -> dict[int, PolicyBook]:
        """The books of some models by the models' keys. One statement."""
        wanted = list(models)
        site = Q(team__isnull=True, model__isnull=True)
        teams, keys = {model.team_id for model in wanted}, {model.pk for model in wanted}
        found = Policy.objects.filter(site | Q(team_id__in=teams) | Q(model_id__in=keys))
        by_owner: dict[tuple[int | None, int | None], list[Policy]] = defaultdict(list)
        for policy in found:
            by_owner[policy.team_id, policy.model_id].append(policy)
        return {
            model.pk: cls([*by_owner[None, None], *by_owner[model.team_id, None], *by_owner[None, model.pk]])
            for model in wanted
        }

    def find(self, slot: Slot) -> Policy | None:
        """The policy that governs a slot: a final one of site or team, else the nearest; None: the right alone."""
        names = slot.with_namesake
        final = [self._by_slot.get((scope, name)) for scope in ("site", "team") for name in names]
        nearest = [self._by_slot.get((scope, name)) for name in names for scope in ("model", "team", "site")]
        alike = self._alike(slot)
        final += [policy for policy in reversed(alike) if policy.model_id is None]
        return next((policy for policy in final if policy and policy.is_final), None) or next(
            filter(None, (*nearest, *alike)), None
        )

    def _alike(self, slot: Slot) -> list[Policy]:
        """Of an alias in other letters, the nearest first: to people it is the same, so it is as protected."""
        found = (self._by_folded.get((scope, folded(slot.name))) for scope in ("model", "team", "site"))
        return [] if slot.is_stage else [policy for policy in found if policy]

    @property
    def is_empty(self) -> bool:
        """No policy governs anything of the model."""
        return not self._by_slot

    @property
    def own(self) -> list[Policy]:
        """Those of the model itself; they go where it goes."""
        return [policy for (scope, _), policy in self._by_slot.items() if scope == "model"]

    @property
    def aliases(self) -> list[Slot]:
        """The protected aliases, by name: those that a policy of the model, its team or the site names."""
        return sorted({slot for _, slot in self._by_slot if not slot.is_stage}, key=lambda slot: slot.name)

    def governs(self, slot: Slot) -> bool:
        """Whether a policy says how versions come into the slot and out of it."""
        return self.find(slot) is not None

    def rules(
        self, entering: Slot | None, leaving: Slot | None = None, kind: str = RequestKind.PROMOTION.value
    ) -> Rules:
        """What a move demands that enters one slot and leaves another; going back runs no gates."""
        to, out = self._rules_of(entering), self._rules_of(leaving)
        ends = [slot.level for slot in (entering, leaving) if slot is not None]
        if to is None and out is None:
            return Rules.of_right(max(ends))
        rules = (
            _of_both(to, out, ends) if to and out else to or replace(out or Rules(), gates=(), archives_previous=False)
        )
        if kind != RequestKind.ROLLBACK:
            return rules
        # Who may bring back what was in a slot, may not take it out of production for that.
        takes = out is not None and leaving != entering and leaving == Slot.stage(Stage.PRODUCTION)
        return replace(rules, gates=(), rollback_by=WhoMoves.NOBODY.value if takes else rules.rollback_by)

    def _rules_of(self, slot: Slot | None) -> Rules | None:
        policy = self.find(slot) if slot else None
        return Rules.from_policy(policy) if policy else None


def scope_of(policy: Policy) -> str:
    """Whose policy it is: "model", "team" or "site"."""
    return "model" if policy.model_id else "team" if policy.team_id else "site"


def _of_both(to: Rules, out: Rules, levels: Sequence[Level]) -> Rules:
    """One end says how many approvals and whose; what either forbids is forbidden; gates are of the one entered.

    It is the end that wants the higher right: however much Staging demands, its approvers don't speak for Production.
    Of two alike a final one, else the one that demands more approvals, else the one left.
    """
    ranks = [(level, rules.is_final, rules.approvals) for level, rules in zip(levels, (to, out), strict=True)]
    voice = to if ranks[0] > ranks[1] else out
    return replace(
        to,
        approvals=voice.approvals,
        approver_role=voice.approver_role,
        approver_team=voice.approver_team,
        approver_group=voice.approver_group,
        allows_self_approval=to.allows_self_approval and out.allows_self_approval,
        ask_level=max(to.ask_level, out.ask_level),
        override_by=min(to.override_by, out.override_by, key=_WIDTH.index),
        rollback_by=min(to.rollback_by, out.rollback_by, key=_WIDTH.index),
    )
