from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from apps.audit import sentences
from apps.audit.models import Event

register = template.Library()


@register.filter
def sentence(event: Event) -> SafeString:
    """What the event says after the actor's name, as HTML."""
    return sentences.sentence(event)


@register.filter
def changes(event: Event) -> list[sentences.Change]:
    """The fields that the event names, before and after."""
    return sentences.changes(event)


@register.filter
def told(event: Event) -> list[sentences.Change]:
    """The same for a feed: in words, and without what is empty or names rows."""
    return sentences.told(event)
