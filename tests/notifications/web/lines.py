from __future__ import annotations

from typing import Any

from apps.accounts.models import ObjectKind
from apps.notifications.models import Notification
from tests.notifications.happenings import topic
from tests.personas import People, Persona


def line(people: People, of: Persona, text: str = "ada asked for version 2 of iris.", **more: Any) -> Notification:
    """A line of somebody's inbox, about a model of the team forge."""
    given: dict[str, Any] = {
        "user": of.user,
        "team": people.forge,
        "topic": topic().code,
        "kind": ObjectKind.REGISTERED_MODEL,
        "object_id": 7,
        "object_name": "iris",
        "actor_name": "ada",
        "text": text,
        "url": "/models/forge/iris/versions/2/",
    }
    return Notification.objects.create(**{**given, **more})
