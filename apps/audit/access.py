from __future__ import annotations

from apps.audit.models import Event
from apps.core.actor import Actor
from apps.core.errors import NotFound


def get_event(actor: Actor, event_id: int) -> Event:
    """An event that the actor may see, with its `sequence`."""
    found: Event | None = Event.objects.visible_to(actor).with_sequence().filter(pk=event_id).first()
    if found is None:
        raise NotFound(f"Event {event_id} not found.")
    return found
