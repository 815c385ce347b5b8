from __future__ import annotations

from typing import Any

from apps.accounts.models import ObjectKind
from apps.notifications.happenings import Happening
from apps.notifications.topics import Topic, declare_topic, known_topics
from tests.personas import People


def topic(code: str = "test.asked", *, default: bool = True) -> Topic:
    """A topic of the tests; declared once."""
    return known_topics().get(code) or declare_topic(code, code, default=default)


def happening(people: People, **more: Any) -> Happening:
    """Ada asked for something about a model of the team forge, which nobody has registered."""
    given: dict[str, Any] = {
        "topic": topic(),
        "team_id": people.forge.pk,
        "team_name": people.forge.name,
        "kind": ObjectKind.REGISTERED_MODEL,
        "object_id": 7,
        "object_name": "iris",
        "text": "ada asked that version 2 of iris enter Production.",
        "url": "/models/forge/iris/versions/2/",
    }
    return Happening(**{**given, **more})
