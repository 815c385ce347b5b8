from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from apps.accounts.models import Team, User
from apps.audit.actions import Subject, record
from apps.core.actor import Actor, Level, Role
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.registry import access, events, gates
from apps.registry.actions.common import lock_model, now_ms
from apps.registry.actions.rounds import begin_round, rules_now
from apps.registry.models import ApproverGroup, Policy, PromotionRequest, RegisteredModel, WhoMoves
from apps.registry.names import check_alias
from apps.registry.policies import PolicyBook, Rules
from apps.registry.stages import Slot, Stage

MAX_APPROVALS = 20
MAX_TIMEOUT_HOURS = 24 * 366
# Requests that are looked at, and that begin anew, in the transaction of the change; others do once somebody decides.
MAX_LOOKED_AT = 2000
MAX_RESTARTED = 200
APPROVER_ROLES = ("", Role.MEMBER.value, Role.MAINTAINER.value, Role.ADMIN.value, WhoMoves.SITE.value)
ASK_LEVELS = (Level.READ, Level.EDIT, Level.STAGING, Level.PRODUCTION, Level.MANAGE)

# Columns of a policy by the names of the rules.
_COLUMNS = {"approver_team": "approver_team_id", "approver_group": "approver_group_id"}
_DEMANDS = (
    "approvals",
    "approver_role",
    "approver_team",
    "approver_group",
    "allows_self_approval",
    "ask_level",
    "override_by",
    "rollback_by",
    "gates",
    "archives_previous",
    "timeout_hours",
    "is_final",
)


def set_policy(
    actor: Actor,
    *,
    slot: Slot,
    rules: Rules,
    team: Team | None = None,
    model: RegisteredModel | None = None,
    seen: int | None = None,
) -> Policy:
    """Say what a slot demands: of a model, of a team's models, or of all models; it replaces what was said before.

    `seen`: the revision that the writer knows of, 0 where there was no policy. Open requests that it concerns begin
    anew. Raises `PermissionDenied` for who doesn't administer the team (the site), `InvalidInput` for rules that nobody
    could fulfil, `Conflict` where it would undo what the writer has not seen.
    """
    access.require_policies(actor, model.team if model else team)
    wanted = _checked(slot, rules, model.team if model else team)
    try:
        with transaction.atomic():
            if model:
                lock_model(model)
            policy, before = _store(actor, slot, wanted, team, model, seen)
            if before is None or before != wanted:
                _note(actor, policy, before, wanted)
                restart_requests(actor, team=team, model=model)
    except IntegrityError as error:
        raise Conflict("Somebody else changed this policy just now. Look at it again.") from error
    return policy


def delete_policy(actor: Actor, *, policy: Policy) -> None:
    """Let the next wider policy govern, or the right alone. Open requests that it concerns begin anew."""
    team, model = policy.team, policy.model
    access.require_policies(actor, model.team if model else team)
    with transaction.atomic():
        if model:
            lock_model(model)
        locked = Policy.objects.select_for_update(of=("self",)).filter(pk=policy.pk).first()
        if locked is None:
            raise NotFound(f"Policy {policy.pk} not found.")
        record(actor, events.POLICY_DELETED, policy_subject(policy), before=demands_of(locked), note=str(policy.slot))
        locked.delete()
        restart_requests(actor, team=team, model=model)


def restart_requests(
    actor: Actor,
    *,
    team: Team | None = None,
    model: RegisteredModel | None = None,
) -> int:
    """Begin a new round of the open requests in reach that demand something else by now; how many.

    Their models are locked first, in order, as in every step of a request.
    """
    reach = Q(version__model=model) if model else Q(version__model__team=team) if team else Q()
    found = PromotionRequest.objects.open().filter(reach)
    looked_at = found.order_by("pk")[:MAX_LOOKED_AT]
    changed = [request.pk for request, rules in _with_rules(looked_at) if not rules.demands_as(_kept(request))]
    return begin_anew(actor, PromotionRequest.objects.filter(pk__in=changed)) if changed else 0


def begin_anew(actor: Actor, requests: QuerySet[PromotionRequest]) -> int:
    """Begin a new round of the open ones among some requests; how many."""
    keys = PromotionRequest.objects.filter(
        pk__in=list(requests.order_by("pk").values_list("pk", flat=True)[:MAX_RESTARTED])
    )
    models = RegisteredModel.objects.select_for_update(no_key=True).filter(pk__in=keys.values("version__model_id"))
    list(models.order_by("pk").values_list("pk", flat=True))
    open_ones = PromotionRequest.objects.open().filter(pk__in=keys.values("pk"))
    locked = _with_rules(open_ones.select_for_update(of=("self",), no_key=True).order_by("pk"))
    for request, rules in locked:
        begin_round(actor, request, rules)
    return len(locked)


def policy_subject(policy: Policy) -> Subject:
    """A policy as the subject of an event: the model's, the team's or the site's."""
    team = policy.model.team if policy.model else policy.team
    owner = policy.model.name if policy.model else f"team {policy.team.name}" if policy.team else "the site"
    name = f"{policy.slot} of {owner}"
    return Subject("policy", str(policy.pk), name, team.pk if team else None, team.name if team else "")


def demands_of(policy: Policy) -> dict[str, Any]:
    """What a policy demands, by the names of `Rules`."""
    return {name: getattr(policy, _COLUMNS.get(name, name)) for name in _DEMANDS}


def _with_rules(requests: QuerySet[PromotionRequest]) -> list[tuple[PromotionRequest, Rules]]:
    """Each request with what it demands now. Two statements."""
    found = list(requests.select_related("version__model__team"))
    books = PolicyBook.load_many({request.version.model for request in found}) if found else {}
    return [
        (request, rules_now(books[request.version.model_id], request.version, request.slot, request.kind))
        for request in found
    ]


def _kept(request: PromotionRequest) -> Rules:
    return Rules.from_json(request.rules)


def _store(
    actor: Actor,
    slot: Slot,
    wanted: Mapping[str, Any],
    team: Team | None,
    model: RegisteredModel | None,
    seen: int | None,
) -> tuple[Policy, Mapping[str, Any] | None]:
    key: dict[str, Any] = {"team": None if model else team, "model": model}
    key |= {"slot_kind": slot.kind, "slot_name": slot.name}
    columns = {_COLUMNS.get(name, name): value for name, value in wanted.items()}
    policy = Policy.objects.select_for_update(of=("self",)).filter(**key).first()
    before = demands_of(policy) if policy else None
    policy = policy or Policy(**key, revision=0)
    _refuse_unseen(policy, seen)
    if before != wanted:
        for name, value in columns.items():
            setattr(policy, name, value)
        policy.revision, policy.changed_by, policy.changed_ms = policy.revision + 1, actor.username, now_ms()
        policy.save()
    return policy, before


def _refuse_unseen(policy: Policy, seen: int | None) -> None:
    """Raise `Conflict` where a policy that was locked is not as its writer knows it."""
    if seen is None or seen == policy.revision:
        return
    if seen == 0:
        raise Conflict(f"There is a policy of {policy.slot} already: change that one.")
    if policy.revision == 0:
        raise Conflict("Somebody removed this policy meanwhile. Look at it again.")
    raise Conflict(f"{policy.changed_by} changed this policy meanwhile. Save again to put yours in its place.")


def _note(actor: Actor, policy: Policy, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    changed = {name for name in after if before is None or before[name] != after[name]}
    said = {"before": {name: before[name] for name in changed} if before else None}
    new = {name: after[name] for name in sorted(changed)}
    record(actor, events.POLICY_SET, policy_subject(policy), before=said["before"], after=new, note=str(policy.slot))


def _checked(slot: Slot, rules: Rules, team: Team | None) -> dict[str, Any]:
    _check_slot(slot)
    _check_range("approvals", rules.approvals, 1, MAX_APPROVALS)
    if rules.timeout_hours is not None:
        _check_range("timeout_hours", rules.timeout_hours, 1, MAX_TIMEOUT_HOURS)
    _check_one_of("approver_role", rules.approver_role, APPROVER_ROLES)
    _check_one_of("ask_level", rules.ask_level, [level.value for level in ASK_LEVELS])
    _check_one_of("override_by", rules.override_by, WhoMoves.values)
    _check_one_of("rollback_by", rules.rollback_by, WhoMoves.values)
    _check_approvers(rules, team)
    demands = {name: getattr(rules, name) for name in _DEMANDS}
    checked = gates.check_gates([dict(gate) for gate in rules.gates])
    _check_reporters({gate["params"]["reporter"] for gate in checked if gate["kind"] == "check"})
    return demands | {"gates": checked}


def _check_approvers(rules: Rules, team: Team | None) -> None:
    if not (rules.approver_role or rules.approver_team or rules.approver_group):
        raise InvalidInput("Say who approves: a role, a team or a group.")
    if rules.approver_team and not Team.objects.filter(pk=rules.approver_team).exists():
        raise InvalidInput("'approver_team' names no team.")
    of_reach = Q(team__isnull=True) | Q(team=team) if team else Q(team__isnull=True)
    if rules.approver_group and not ApproverGroup.objects.filter(of_reach, pk=rules.approver_group).exists():
        raise InvalidInput("'approver_group' names no group of the site or of this team.")


def _check_reporters(names: set[str]) -> None:
    """A name that nobody has yet, somebody who makes service accounts would take."""
    known = set(User.objects.filter(username__in=names, is_active=True).values_list("username", flat=True))
    if unknown := sorted(names - known):
        raise InvalidInput(f"'reporter' names no account: {unknown[0]}.")


def _check_slot(slot: Slot) -> None:
    if not slot.is_stage:
        check_alias(slot.name)
    elif Stage.parse(slot.name) is Stage.NONE:
        raise InvalidInput("The stage None demands nothing: a version begins there.")


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidInput(f"'{name}' has to be a number from {least} to {most}.")


def _check_one_of(name: str, value: object, known: Any) -> None:
    if value not in known:
        raise InvalidInput(f"'{name}' has to be one of: {', '.join(str(each) or 'nothing' for each in known)}.")
