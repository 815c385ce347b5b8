"""Deployments that don't serve what the registry has where they look."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, When

from apps.deployments.models import Deployment, Following
from apps.registry.models import Alias, ModelVersion


def deployments_behind(leaving_out: Collection[int] = ()) -> QuerySet[Deployment]:
    """Those for which `follow_registry` has something to do, with team. One statement, whatever their number."""
    in_stage = ModelVersion.objects.filter(model=OuterRef("model"), stage=OuterRef("followed")).order_by("-number")
    pointed_at = Alias.objects.filter(model=OuterRef("model"), name=OuterRef("followed"))
    followed = Case(
        When(follows=Following.STAGE, then=Subquery(in_stage.values("pk")[:1])),
        When(follows=Following.ALIAS, then=Subquery(pointed_at.values("version")[:1])),
        output_field=IntegerField(),
    )
    found = Deployment.objects.exclude(follows=Following.FIXED).exclude(pk__in=list(leaving_out))
    found = found.filter(is_stopped=False).annotate(has_now=followed)
    serves = Q(has_now=F("wanted__version"))
    is_new = ~Q(has_now=None) & (~serves | Q(wanted__version=None))
    is_new &= Q(proposed=None) | ~Q(has_now=F("proposed"))
    is_new &= Q(dismissed=None) | ~Q(has_now=F("dismissed"))
    is_taken_back = ~Q(proposed=None) & (Q(has_now=None) | ~Q(has_now=F("proposed")))
    return found.filter(is_new | is_taken_back).select_related("team")
