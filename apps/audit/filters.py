from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Any

import django_filters
from django.db.models import Q
from django.forms import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.audit.models import Event
from apps.audit.querysets import EventQuerySet
from apps.core.errors import InvalidInput

_SEARCHED = ("actor_name", "object_name", "object_id", "code", "note")


class _MomentField(django_filters.fields.IsoDateTimeField):  # type: ignore[misc]
    def clean(self, value: Any) -> datetime | None:
        """In UTC, and not in the calendar's first or last year: a day after it, and any zone, have to be dates too."""
        moment: datetime | None = super().clean(value)
        if moment is None:
            return None
        if not MINYEAR < moment.year < MAXYEAR:
            raise ValidationError(self.error_messages["invalid"])
        return moment.astimezone(UTC)


class _MomentFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = _MomentField


class EventFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What the page, the API and the exports take; dates are days or moments in ISO form, days whole, in UTC."""

    text = django_filters.CharFilter(method="_text", max_length=200, label=_("Text"))
    code = django_filters.CharFilter(max_length=64, label=_("Code"))
    actor = django_filters.CharFilter("actor_name", max_length=150, label=_("Person"))
    team = django_filters.CharFilter("team_name", max_length=63, label=_("Team"))
    kind = django_filters.CharFilter("object_kind", max_length=32, label=_("Kind of object"))
    object = django_filters.CharFilter("object_id", max_length=64, label=_("Id of the object"))
    since = _MomentFilter("created_at", "gte", label=_("From"))
    until = _MomentFilter(method="_until", label=_("To"))

    class Meta:
        model = Event
        fields: list[str] = []

    def _text(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        wanted = Q()
        for field in _SEARCHED:
            wanted |= Q(**{f"{field}__icontains": value})
        return events.filter(wanted)

    def _until(self, events: EventQuerySet, name: str, value: datetime) -> EventQuerySet:
        is_day = len(self.data.get("until", "")) == len("2026-01-31")
        return events.filter(created_at__lt=value + timedelta(days=1) if is_day else value)


def filtered(events: EventQuerySet, query: QueryDict) -> EventQuerySet:
    """The events that a query string asks for. Raises `InvalidInput` with what is wrong in it."""
    chosen = EventFilter(query, queryset=events)
    if not chosen.is_valid():
        wrong = "; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in chosen.errors.items())
        raise InvalidInput(wrong)
    found: EventQuerySet = chosen.qs
    return found


def used(query: QueryDict) -> dict[str, Any]:
    """The filters that a query string sets, by name."""
    return {name: query[name] for name in EventFilter.base_filters if query.get(name)}
