"""Who may decide on a request, who may do without one, and whose request is somebody's own."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from apps.accounts.access import may_manage_service
from apps.accounts.events import TOKEN_CREATED
from apps.accounts.models import Grant, Membership, ObjectKind, User
from apps.audit.models import Event
from apps.core.actor import Actor, Level, Role
from apps.core.errors import Conflict, PermissionDenied
from apps.registry.access import stage_level
from apps.registry.models import PromotionRequest, RegisteredModel, WhoMoves
from apps.registry.policies import Rules

_KIND = ObjectKind.REGISTERED_MODEL
_RANK = list(Role)


def approvers(rules: Rules, model: RegisteredModel) -> QuerySet[User]:
    """Everybody whose word counts, and who can read the model; whose own a request is, is not looked at."""
    people: QuerySet[User] = User.objects.filter(_named_by(rules, model), is_active=True, is_service=False)
    return people.filter(_holds(Level.READ, model)).order_by("username")


def approvers_of(request: PromotionRequest) -> QuerySet[User]:
    """Everybody who may approve a request that was fetched with version, model and team."""
    rules = Rules.from_json(request.rules)
    found = approvers(rules, request.version.model)
    return found if rules.allows_self_approval else found.exclude(pk__in=owners_of(request))


def may_decide(actor: Actor, request: PromotionRequest) -> bool:
    """Whether the actor's approval would count now. Two statements."""
    return actor.confined is None and approvers_of(request).filter(pk=actor.user_id or 0).exists()


def require_approver(actor: Actor, request: PromotionRequest, rules: Rules) -> None:
    """Raise `PermissionDenied` for who isn't among the approvers, in words that say who is."""
    if actor.confined is not None:
        raise PermissionDenied("Permission denied: a project run never decides, whoever it speaks for.")
    if not approvers(rules, request.version.model).filter(pk=actor.user_id or 0).exists():
        raise PermissionDenied(
            f"Permission denied: {request.slot} of {request.version.model.name} is decided on by {who_decides(rules)}; "
            "a service account never decides."
        )


def require_not_own(actor: Actor, request: PromotionRequest, rules: Rules) -> None:
    """Raise `Conflict` for one's own request, unless the policy lets people approve what is their own."""
    if not rules.allows_self_approval and (actor.user_id or 0) in owners_of(request):
        raise Conflict(
            f"You asked for this, made the version, or hold the service account that did: somebody else of "
            f"{who_decides(rules)} has to approve it.",
            details={"reason": "self_approval"},
        )


def owners_of(request: PromotionRequest) -> set[int]:
    """Whose own a request is: who asked, who made the version, and who holds a service account that did.

    It is also whose own it was when it was asked. Where one of the two is gone nobody knows who held it: then it is the
    administrators' own too. One statement, two more where a service account is among them.
    """
    both = {request.requester_id, request.version.owner_id}
    users = User.objects.filter(pk__in={pk for pk in both if pk}).order_by()
    rows = list(users.values_list("pk", "username", "is_service", "home_team_id"))
    services = {name: team for _, name, is_service, team in rows if is_service}
    own = {pk for pk, *_ in rows} | set(request.owners)
    if services:
        own |= _holders(set(services.values())) | _token_makers(services)
    if None in both:
        own |= _holders({request.version.model.team_id})
    return own


def may_withdraw(actor: Actor, request: PromotionRequest) -> bool:
    """Who asked takes a request back; also who holds the service account that asked, and administrators."""
    asked = request.requester
    if actor.confined is not None:
        return False
    return actor.is_admin or (asked is not None and (asked.pk == actor.user_id or may_manage_service(actor, asked)))


def is_one_of(actor: Actor, who: str, model: RegisteredModel) -> bool:
    """Whether the actor is among those who may do without a request; a service account never is."""
    role = actor.role_in(model.team_id)
    if who == WhoMoves.NOBODY or role is None or (who == WhoMoves.SITE and not actor.is_admin):
        return False
    wanted = Role.ADMIN if who == WhoMoves.SITE else Role(who)
    return _RANK.index(role) >= _RANK.index(wanted) and is_person(actor)


def goes_back_at_once(actor: Actor, rules: Rules, model: RegisteredModel) -> bool:
    """Whether the actor's rollback under these rules is immediate, and no request."""
    if rules.is_governed:
        return is_one_of(actor, rules.rollback_by, model)
    return stage_level(actor, model) >= rules.approver_level


def is_person(actor: Actor) -> bool:
    """Not a service account, and not the server itself."""
    return bool(User.objects.filter(pk=actor.user_id or 0, is_service=False).exists())


def who_decides(rules: Rules) -> str:
    """The approvers in words."""
    if not rules.is_governed:
        return f"whoever holds the right '{Level(rules.approver_level).word}' on the model"
    said = {"": "", "site": "the administrators of the site"}
    parts = [said.get(rules.approver_role, f"the team's members from the role {rules.approver_role} on")]
    parts += ["the approving team"] if rules.approver_team else []
    parts += ["the group of approvers"] if rules.approver_group else []
    return " and ".join(part for part in parts if part) or "nobody"


def administrators_of(team_id: int | None) -> set[int]:
    """The keys of the active people who administer a team, or the site."""
    found = User.objects.filter(pk__in=_holders({team_id}), is_active=True, is_service=False).order_by()
    return set(found.values_list("pk", flat=True))


def _holders(team_ids: set[int | None]) -> set[int]:
    """Who administers teams, and with them their service accounts."""
    admins = Membership.objects.filter(team_id__in=[pk for pk in team_ids if pk], role=Role.ADMIN)
    found = User.objects.filter(Q(pk__in=admins.values("user_id")) | Q(is_superuser=True)).order_by()
    return set(found.values_list("pk", flat=True))


def _token_makers(names: Collection[str]) -> set[int]:
    """Who ever made a token for accounts, and may have kept it, whatever their role is now."""
    made = Event.objects.filter(code=TOKEN_CREATED.code, after__user__in=list(names)).order_by()
    return {pk for pk in made.values_list("actor_id", flat=True) if pk is not None}


def _named_by(rules: Rules, model: RegisteredModel) -> Q:
    if not rules.is_governed:
        return _holds(Level(rules.approver_level), model)
    named = Q(pk__in=[])
    if rules.approver_role:
        named |= Q(is_superuser=True)
    if rules.approver_role in list(Role):
        named |= _in_team(model.team_id, Role(rules.approver_role))
    if rules.approver_team:
        named |= Q(pk__in=Membership.objects.filter(team_id=rules.approver_team).values("user_id"))
    if rules.approver_group:
        named |= Q(pk__in=User.objects.filter(approver_groups=rules.approver_group).order_by().values("pk"))
    return named


def _holds(level: Level, model: RegisteredModel) -> Q:
    """The condition for "holds the level on the model by role or grant"."""
    grants = Grant.objects.filter(kind=_KIND, object_id=model.pk, level__gte=level)
    teams = Membership.objects.filter(team_id__in=grants.filter(team__isnull=False).values("team_id"))
    by_grant = Q(pk__in=grants.filter(user__isnull=False).values("user_id")) | Q(pk__in=teams.values("user_id"))
    roles = [role.value for role in Role if role.level >= level]
    in_team = Membership.objects.filter(team_id=model.team_id, role__in=roles)
    return Q(is_superuser=True) | Q(pk__in=in_team.values("user_id")) | by_grant


def _in_team(team_id: int, role: Role) -> Q:
    roles = [each.value for each in _RANK[_RANK.index(role) :]]
    return Q(pk__in=Membership.objects.filter(team_id=team_id, role__in=roles).values("user_id"))
