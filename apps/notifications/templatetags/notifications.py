from __future__ import annotations

from django import template

from apps.notifications.dialects import DIALECTS
from apps.notifications.topics import known_topics

register = template.Library()


@register.filter
def topic_title(code: str) -> str:
    """What a topic is called; its code where it was declared by a version that is gone."""
    topic = known_topics().get(code)
    return str(topic.title) if topic else code


@register.filter
def dialect_title(code: str) -> str:
    """What a kind of webhooks is called."""
    dialect = DIALECTS.get(code)
    return str(dialect.title) if dialect else code
