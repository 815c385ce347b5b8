"""Where a version can go, what that demands, and by which way the reader gets it there: for the dialogs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import QuerySet

from apps.core.actor import Actor, Level
from apps.core.errors import InvalidInput
from apps.registry import access, deciding, gates, wording
from apps.registry.actions.rounds import rules_now
from apps.registry.models import Alias, ModelVersion, PromotionRequest, RegisteredModel, RequestKind
from apps.registry.names import check_alias
from apps.registry.policies import PolicyBook, Rules
from apps.registry.selectors.requests import MOST_PEOPLE, GateView, gate_views
from apps.registry.stages import Slot, SlotKind, Stage


class Way(StrEnum):
    """How somebody gets a version into a slot: at once by right, past the policy with a reason, or by asking."""

    DIRECT = "direct"
    OVERRIDE = "override"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class SlotPreview:
    """What a slot demands of a version, how its gates stand now, who can approve, and who asked for it already."""

    slot: Slot
    rules: Rules
    words: list[str]
    way: Way
    may_ask: bool
    asked: list[PromotionRequest] = field(default_factory=list)
    gates: list[GateView] = field(default_factory=list)
    approvers: list[str] = field(default_factory=list)


def slots_to_enter(version: ModelVersion, wanted: str = "") -> list[Slot]:
    """The stages that a version is not in, and the aliases that don't point at it. Two statements.

    Aliases are the protected ones, those that there are, and the one that is `wanted` (`alias:champion`).
    """
    holders = dict(Alias.objects.filter(model=version.model).order_by("name").values_list("name", "version_id"))
    aliases = [*PolicyBook.load(version.model).aliases, *map(Slot.alias, holders), *_wanted_alias(wanted)]
    open_aliases = [slot for slot in dict.fromkeys(aliases) if holders.get(slot.name) != version.pk]
    stages = [Slot.stage(stage) for stage in reversed(Stage) if stage != version.stage]
    first = [slot for slot in stages if slot.namesake is not None]
    rest = [slot for slot in stages if slot.namesake is None]
    return [*first, *open_aliases, *rest]


def _wanted_alias(written: str) -> list[Slot]:
    kind, _colon, name = written.partition(":")
    try:
        check_alias(name)
    except InvalidInput:
        return []
    return [Slot.alias(name)] if kind == SlotKind.ALIAS else []


def parse_slot(written: str, among: list[Slot]) -> Slot | None:
    """A slot as forms write it (`stage:Production`, `alias:champion`), if it is among those offered."""
    return next((slot for slot in among if slot_key(slot) == written), None)


def slot_key(slot: Slot) -> str:
    """A slot as forms write it."""
    return f"{slot.kind}:{slot.name}"


def slot_preview(
    actor: Actor, version: ModelVersion, slot: Slot, kind: RequestKind = RequestKind.PROMOTION
) -> SlotPreview:
    """What it takes that a version enters a slot, in a constant number of statements; nothing is kept."""
    rules = rules_now(PolicyBook.load(version.model), version, slot, kind)
    results = gates.preview(version, slot, [dict(gate) for gate in rules.gates]) if rules.gates else []
    approvers = deciding.approvers(rules, version.model).values_list("username", flat=True)
    if not rules.allows_self_approval:
        approvers = approvers.exclude(pk__in=[pk for pk in (actor.user_id, version.owner_id) if pk])
    return SlotPreview(
        slot=slot,
        rules=rules,
        words=wording.words_of(rules, slot, wording.Names.of(rules)),
        way=way_of(actor, version.model, rules),
        may_ask=access.level_of_model(actor, version.model) >= rules.ask_level,
        asked=list(_asked(version, slot)),
        gates=gate_views(actor, rules, results),
        approvers=list(approvers[:MOST_PEOPLE]),
    )


def _asked(version: ModelVersion, slot: Slot) -> QuerySet[PromotionRequest]:
    """The open requests that the version enter the slot."""
    found = PromotionRequest.objects.open().filter(version=version, slot_kind=slot.kind, slot_name=slot.name)
    return found.order_by("pk")[:MOST_PEOPLE]


def way_of(actor: Actor, model: RegisteredModel, rules: Rules) -> Way:
    """By which way the actor may bring about a move that demands `rules`."""
    if rules.is_governed:
        return Way.OVERRIDE if deciding.is_one_of(actor, rules.override_by, model) else Way.ASK
    return Way.DIRECT if access.stage_level(actor, model) >= Level(rules.approver_level) else Way.ASK
