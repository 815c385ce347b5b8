from __future__ import annotations

from django.db import transaction

from apps.accounts.access import may_manage_service
from apps.accounts.models import User
from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotFound, PermissionDenied
from apps.registry import access, events
from apps.registry.actions.common import checked_comment, now_ms
from apps.registry.deciding import is_person
from apps.registry.models import Override


def review_override(actor: Actor, *, override: Override, review: str) -> Override:
    """Say, as somebody else than who broke the glass, what one thinks of it; for administrators of team or site.

    Where the site has one administrator alone, that one reviews also what is their own. Raises `Conflict` for what was
    reviewed already, `PermissionDenied` for one's own.
    """
    access.require_policies(actor, override.team)
    if not is_person(actor):
        raise PermissionDenied("Permission denied: people review what people did; a service account doesn't.")
    review = checked_comment(review, "review", required=True)
    with transaction.atomic():
        fresh = _locked(override)
        if fresh.reviewed_ms is not None:
            raise Conflict(f"{fresh.reviewed_by} reviewed this already.")
        own = _is_own(actor, fresh)
        if own and not _is_alone(actor):
            raise PermissionDenied("Permission denied: somebody else than who went past the policy reviews it.")
        fresh.reviewer_id, fresh.reviewed_by = actor.user_id, actor.username
        fresh.reviewed_ms, fresh.review = now_ms(), review
        fresh.save(update_fields=["reviewer", "reviewed_by", "reviewed_ms", "review"])
        record(actor, events.GLASS_REVIEWED, _subject(fresh), after={"review": review, "own": own})
    return fresh


def _locked(override: Override) -> Override:
    found = Override.objects.select_for_update(of=("self",)).select_related("maker", "team")
    fresh = found.filter(pk=override.pk).first()
    if fresh is None:
        raise NotFound(f"Override {override.pk} not found.")
    return fresh


def _is_own(actor: Actor, override: Override) -> bool:
    maker = override.maker
    if maker is None:
        return override.made_by == actor.username
    return maker.pk == actor.user_id or may_manage_service(actor, maker)


def _is_alone(actor: Actor) -> bool:
    """The one administrator of the site."""
    others = User.objects.filter(is_superuser=True, is_active=True, is_service=False).exclude(pk=actor.user_id or 0)
    return actor.is_admin and not others.exists()


def _subject(override: Override) -> Subject:
    team = override.team
    name = f"{override.model_name} version {override.number}"
    return Subject("override", str(override.pk), name, override.team_id, team.name if team else "")
