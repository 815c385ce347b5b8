"""People who come from the provider of a company: who they are here, and what its groups make of them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from itertools import islice

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from apps.accounts import events
from apps.accounts.actions.common import user_subject
from apps.accounts.actions.teams import add_member, remove_member, set_role
from apps.accounts.actions.users import create_user, set_admin
from apps.accounts.models import Team, User
from apps.accounts.oidc.config import OidcConfig
from apps.accounts.oidc.failures import SignInRefused
from apps.accounts.oidc.identity import Identity
from apps.accounts.oidc.mapping import GroupMapping
from apps.accounts.oidc.names import candidates
from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, InvalidInput

logger = logging.getLogger("slipway.sign_in")

_TRIES = 3
# Names that are looked at at once.
_NAMES = 50


def admit_identity(actor: Actor, *, identity: Identity, config: OidcConfig) -> User:
    """The person behind an identity, known, linked or new, with the teams and rights that its groups give.

    All of it is one transaction. Raises `SignInRefused`, which is recorded, for whoever may not come in.
    """
    for _attempt in range(_TRIES):
        try:
            with transaction.atomic():
                user = _person(actor, identity, config)
                _follow_groups(actor, user, identity.groups, config.mapping)
                return user
        except (AlreadyExists, IntegrityError):
            # The same person in a second tab, or another who wants the same name: now they are there.
            continue
        except SignInRefused as error:
            _note_refused(actor, identity, error)
            raise
    raise Conflict(_("Too much happened at once. Try again."))


def link_identity(actor: Actor, *, user: User, issuer: str, subject: str) -> None:
    """Let an identity be `user` from now on, instead of who it was; another that the user had ends with it."""
    if user.is_service:
        raise InvalidInput("Service accounts sign in by token alone.")
    if not subject.isprintable() or not 0 < len(subject) <= SocialAccount._meta.get_field("uid").max_length:
        raise InvalidInput("This is no subject of a provider.")
    with transaction.atomic():
        found = SocialAccount.objects.filter(provider=issuer, uid=subject).select_related("user").first()
        if found is not None and found.user_id == user.pk:
            return
        own = SocialAccount.objects.filter(provider=issuer, user=user)
        before = {"user": found.user.username if found else None, "subject": own.values_list("uid", flat=True).first()}
        SocialAccount.objects.filter(provider=issuer, uid=subject).delete()
        own.delete()
        _link(actor, user, issuer, subject, before)


def _person(actor: Actor, identity: Identity, config: OidcConfig) -> User:
    known = SocialAccount.objects.filter(provider=identity.issuer, uid=identity.subject)
    user_id = known.values_list("user_id", flat=True).first()
    if user_id is None:
        user = _linked_by_email(actor, identity, config) or _created(actor, identity, config)
    else:
        # Locked: two sign-ins at once don't both put the person into a team.
        user = User.objects.select_for_update().get(pk=user_id)
    if not user.is_active:
        raise SignInRefused(_("Your account is disabled here. Ask an administrator."), why="disabled")
    return user


def _linked_by_email(actor: Actor, identity: Identity, config: OidcConfig) -> User | None:
    """The account of the same mail address, if it may be taken for the person's; None where there is none."""
    address = identity.email or identity.unproven_email
    if not address:
        return None
    same = User.objects.alias(address=Lower("email")).filter(address=address.lower(), is_service=False)
    found: list[User] = list(same.select_for_update().order_by("pk")[:2])
    if not found:
        return None
    is_taken = SocialAccount.objects.filter(provider=identity.issuer, user__in=found).exists()
    if len(found) == 1 and identity.email and config.links_by_email and not is_taken:
        _link(actor, found[0], identity.issuer, identity.subject, None)
        return found[0]
    message = _("An account here has your mail address already, and it is not linked to your sign-in at %s.")
    raise SignInRefused(message % config.name, subject=identity.subject, why="mail address of another account")


def _created(actor: Actor, identity: Identity, config: OidcConfig) -> User:
    if not config.creates_users:
        message = _("You have no account here yet. Ask an administrator for one.")
        raise SignInRefused(message, subject=identity.subject, why="no account")
    user = create_user(actor, username=_free_name(identity.wanted_name), password=None)
    user.first_name, user.last_name, user.email = identity.first_name, identity.last_name, identity.email
    user.save(update_fields=["first_name", "last_name", "email"])
    _link(actor, user, identity.issuer, identity.subject, None)
    return user


def _free_name(wanted: str) -> str:
    names, start = candidates(wanted), 0
    while start < _NAMES * 20:
        some = list(islice(names, _NAMES))
        lowered = User.objects.annotate(lowered=Lower("username")).filter(lowered__in=some)
        taken = set(lowered.values_list("lowered", flat=True))
        free = [name for name in some if name not in taken]
        if free:
            return free[0]
        start += _NAMES
    raise Conflict(_("No user name is free for you. Ask an administrator for an account."))


def _link(actor: Actor, user: User, issuer: str, subject: str, before: dict[str, str | None] | None) -> None:
    SocialAccount.objects.create(provider=issuer, uid=subject, user=user)
    after = {"issuer": issuer, "subject": subject}
    record(actor, events.IDENTITY_LINKED, user_subject(user), before=before, after=after, note=issuer)


def _follow_groups(actor: Actor, user: User, groups: Collection[str] | None, mapping: GroupMapping) -> None:
    """Bring teams and rights to what the groups say. Where the provider said nothing of groups, there are none."""
    if not mapping.rules:
        return
    if groups is None:
        logger.warning("sign-in: the provider says nothing of the groups of %s: see SLIPWAY_OIDC_GROUPS_CLAIM", user)
    wanted = mapping.roles_for(groups or ())
    teams = {team.name: team for team in Team.objects.filter(name__in=mapping.teams)}
    if missing := wanted.keys() - teams.keys():
        logger.warning("sign-in: SLIPWAY_OIDC_GROUPS names teams that are not there: %s", ", ".join(sorted(missing)))
    held = dict(user.memberships.filter(team__in=teams.values()).values_list("team__name", "role"))
    # Who leaves goes first: a home team that is left gives way to one that is joined.
    for name in sorted(held.keys() - wanted.keys()):
        remove_member(actor, team=teams[name], user=user)
        user.refresh_from_db(fields=["home_team"])
    for name in sorted(teams.keys() & wanted.keys()):
        if name not in held:
            add_member(actor, team=teams[name], user=user, role=wanted[name])
        elif held[name] != wanted[name]:
            set_role(actor, team=teams[name], user=user, role=wanted[name])
    if mapping.manages_admins:
        _follow_admin(actor, user, mapping.makes_admin(groups or ()))


def _follow_admin(actor: Actor, user: User, is_admin: bool) -> None:
    try:
        set_admin(actor, user=user, is_admin=is_admin)
    except Conflict:
        # The last one: a site that nobody administers could not be put right from its pages.
        record(actor, events.ADMIN_KEPT, user_subject(user), note=_("no group of theirs says so"))


def _note_refused(actor: Actor, identity: Identity, error: SignInRefused) -> None:
    linked = SocialAccount.objects.filter(provider=identity.issuer, uid=identity.subject).select_related("user").first()
    subject = user_subject(linked.user) if linked else Subject("user", "", identity.wanted_name or identity.subject)
    with transaction.atomic():
        after = {"issuer": identity.issuer, "subject": identity.subject}
        record(actor, events.SIGN_IN_REFUSED, subject, after=after, note=error.why)
